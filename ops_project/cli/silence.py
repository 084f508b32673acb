"""`ops silence`: silence alerts for a limited time, with a reason and an owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from ops_project.cli.numbers import refuse_any, several_numbers
from ops_project.cli.output import console, emit, json_option, table
from ops_project.settings import Settings, current_user

LISTED = 20


@click.group()
def silence() -> None:
    """Add, list and end silences."""


def _ledger(settings: Settings) -> Any:
    from ops_project.operations.ledger import open_ledger

    return open_ledger(settings)


def _duration(_ctx: click.Context, _param: click.Parameter, value: str) -> timedelta:
    from ops_project.model.duration import parse_duration

    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@silence.command()
@click.argument("matchers", nargs=-1, required=True)
@click.option("--for", "span", callback=_duration, required=True, help="How long: 2h, 1d; at most 7d.")
@click.option("--reason", required=True, help="The reason.")
@click.option(
    "--owner", help="The owner, who is reminded before the silence ends: a person's id or team:<id>. Default: the user."
)
@json_option
@click.pass_obj
def add(
    settings: Settings, *, matchers: tuple[str, ...], span: timedelta, reason: str, owner: str | None, as_json: bool
) -> None:
    """Silence the alerts that match all MATCHERS, for example asset="bronze/orders" severity=~"high|medium"."""
    from ops_project.catalog import load as load_catalog
    from ops_project.model.alerting.matcher import Matcher, all_match
    from ops_project.model.alerting.silence import MAX_AGE
    from ops_project.model.duration import format_duration
    from ops_project.operations.alerting.decide.vocabulary import mistakes
    from ops_project.operations.alerting.label_vocabulary import known_labels
    from ops_project.operations.ledger.lineage_document import recall

    catalog = load_catalog(settings)
    owner = owner or current_user()
    if catalog.owners.resolve(owner) is None:
        valid = ", ".join(catalog.owners.valid())
        raise click.UsageError(f"--owner {owner!r} is not known, so nobody could be reminded; valid: {valid}")
    if not timedelta() < span <= MAX_AGE:
        raise click.UsageError(
            f"--for {format_duration(span)}: a silence lasts at most {format_duration(MAX_AGE)}; "
            "for longer, change the rule or its route"
        )
    try:
        parsed = [Matcher.parse(text) for text in matchers]
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if all(matcher.matches({}) for matcher in parsed):
        raise click.UsageError("these matchers match every alert, even one without labels: name at least one value")
    ledger = _ledger(settings)
    firing = ledger.alerts("open", limit=None)
    if wrong := mistakes(parsed, known_labels(catalog, recall(ledger), firing)):
        raise click.UsageError("\n".join(wrong))
    now = settings.now()
    number = ledger.add_silence(parsed, starts_at=now, ends_at=now + span, owner=owner, reason=reason, now=now)
    silent = sorted(alert.number for alert in firing if all_match(tuple(parsed), alert.labels))
    data = {
        "number": number,
        "matchers": [str(m) for m in parsed],
        "ends_at": now + span,
        "owner": owner,
        "reason": reason,
        "alerts": silent,
    }

    def render() -> None:
        console.print(f"Silence {number} until {now + span:%Y-%m-%d %H:%M} UTC. {_covers(silent)}", soft_wrap=True)

    emit(as_json, data, render)


def _covers(numbers: list[int]) -> str:
    if not numbers:
        return "It matches no alert that fires now."
    shown = ", ".join(f"#{number}" for number in numbers[:LISTED])
    more = f" and {len(numbers) - LISTED} more" if len(numbers) > LISTED else ""
    return f"It silences {len(numbers)} firing alert{'s' if len(numbers) > 1 else ''}: {shown}{more}."


@silence.command("list")
@click.option("--all", "expired", is_flag=True, help="Also show silences that have ended.")
@json_option
@click.pass_obj
def list_(settings: Settings, expired: bool, as_json: bool) -> None:
    """List active and future silences."""
    found = _ledger(settings).silences(settings.now(), expired)
    rows = [
        {
            "number": s.number,
            "matchers": [str(m) for m in s.matchers],
            "starts_at": s.starts_at,
            "ends_at": s.ends_at,
            "owner": s.owner,
            "reason": s.reason,
            "active": s.active(settings.now()),
        }
        for s in found
    ]

    def render() -> None:
        if not rows:
            console.print("No silence.")
            return
        columns = ("number", "matchers", "ends_at", "owner", "reason", "active")
        console.print(table(columns, [[", ".join(r[c]) if c == "matchers" else r[c] for c in columns] for r in rows]))

    emit(as_json, rows, render)


@silence.command()
@several_numbers
@json_option
@click.pass_obj
def expire(settings: Settings, numbers: tuple[int, ...], as_json: bool) -> None:
    """End silences now."""
    ledger, now = _ledger(settings), settings.now()
    in_force = {found.number for found in ledger.silences(now)}
    unknown = "there is no silence {} in force; `ops silence list` shows them"
    refuse_any(numbers, lambda number: "" if number in in_force else unknown.format(number))
    for number in numbers:
        ledger.expire_silence(number, now)
    ended = [{"number": number, "expired": True} for number in numbers]
    lines = [f"Silence {number} has ended." for number in numbers]
    emit(as_json, ended, lambda: console.print("\n".join(lines)))
