"""`ops incidents`: open incidents, who works on them, their timelines and post-mortems."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from ops_project.cli.numbers import COUNT, DAYS, NUMBER, refused, several_numbers
from ops_project.cli.output import cell, console, emit, json_option, table, told_if_cut, write_out
from ops_project.cli.person import by_option
from ops_project.cli.text_file import text_of
from ops_project.counted import counted
from ops_project.settings import Settings

EVERY = 1_000_000
GATHERED = ("evidence", "diagnosis")
"""The kinds of evidence that are gathered when an incident opens."""


@click.group()
def incidents() -> None:
    """List and show incidents; acknowledge, give back, take over or resolve one; write notes and post-mortems."""


by_person = by_option("The person who does this.")


def _ledger(settings: Settings) -> Any:
    from ops_project.operations.ledger import open_ledger

    return open_ledger(settings)


def _row(incident: Any) -> dict[str, Any]:
    return {
        "number": incident.number,
        "priority": incident.priority,
        "status": incident.status,
        "title": incident.title,
        "pipeline": incident.pipeline,
        "responder": incident.responder or None,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "ladder": incident.policy.ladder or None,
        "step": incident.step,
        "next_step_at": incident.step_due(),
        "alerts": list(incident.alerts),
        "firing": list(incident.firing),
        "cause": incident.cause or None,
        "reason": incident.reason or None,
        "postmortem_due": incident.postmortem_due,
        "postmortem_at": incident.postmortem_at,
    }


@incidents.command("list")
@click.option("--all", "every", is_flag=True, help="Also show resolved incidents.")
@click.option(
    "--limit", type=COUNT, default=50, show_default=True, help="The largest number of lines; the newest come first."
)
@json_option
@click.pass_obj
def list_(settings: Settings, every: bool, limit: int, as_json: bool) -> None:
    """List the open incidents, the newest first."""
    ledger, status = _ledger(settings), None if every else "open"
    rows = [_row(incident) for incident in ledger.incidents(status, limit)]

    def render() -> None:
        if not rows:
            console.print("No incident." if every else "No open incident.")
            return
        columns = ("number", "priority", "status", "title", "alerts", "responder", "opened_at", "next_step_at")
        shown = [{**row, "alerts": len(row["alerts"])} for row in rows]
        console.print(table(columns, [[row[column] for column in columns] for row in shown]))

    emit(as_json, rows, render)
    told_if_cut(len(rows), ledger.count_incidents(status))


@incidents.command()
@click.argument("number", type=NUMBER)
@click.option(
    "--evidence", "full", is_flag=True, help="Also show the evidence and the diagnosis that were stored when it opened."
)
@json_option
@click.pass_obj
def show(settings: Settings, number: int, full: bool, as_json: bool) -> None:
    """Show one incident with its timeline and its evidence."""
    ledger = _ledger(settings)
    incident = _find(ledger, number)
    timeline, evidence = ledger.incident_timeline(number), ledger.evidence(number)
    data = {**_row(incident), "timeline": timeline, "evidence": evidence, "runbook": incident.runbook or None}

    def render() -> None:
        if full:
            _gathered(number, evidence)
            return
        console.print(f"Incident {number}, {incident.priority}, {incident.status}: {incident.title}", markup=False)
        console.print(f"  alerts: {len(incident.alerts)}, of which {len(incident.firing)} fire")
        for name in ("pipeline", "responder", "ladder", "next_step_at", "runbook", "cause", "reason", "postmortem_due"):
            if value := data.get(name):
                utc = " UTC" if isinstance(value, datetime) else ""
                console.print(f"  {name.replace('_', ' ')}: {cell(value)}{utc}", markup=False)
        rows = [[e.at, e.reason.shown, e.by, e.detail] for e in timeline]
        console.print(table(("at (UTC)", "what", "by", "detail"), rows))
        for item in evidence:
            console.print(f"{item['kind']}: {item['title']} ({item['at']:%Y-%m-%d %H:%M} UTC)", markup=False)
        if any(item["kind"] in GATHERED for item in evidence):
            console.print(f"`ops incidents show {number} --evidence` prints the evidence and the diagnosis.")

    emit(as_json, data, render)


def _gathered(number: int, evidence: list[dict[str, Any]]) -> None:
    """Print the evidence that was gathered: one line for each item, with its source and the command that shows it
    again.
    """
    kept = [item for item in evidence if item["kind"] in GATHERED]
    if not kept:
        console.print(f"Nothing was gathered for incident {number}; `ops diagnose {number}` looks now.")
    for entry in kept:
        if entry["kind"] == "diagnosis":
            console.print(f"{entry['title']}: {entry['body']}", markup=False, soft_wrap=True)
            continue
        body = json.loads(entry["body"])
        for item in body["items"]:
            where = ", ".join(part for part in (item["source"], item["command"]) if part)
            shown = f"{item['title']}: {item['text']}{f'  [{where}]' if where else ''}"
            console.print(shown, markup=False, soft_wrap=True)
        for words in body["unread"]:
            console.print(f"Unknown: {words}", markup=False, soft_wrap=True)


def _find(ledger: Any, number: int) -> Any:
    incident = ledger.incident(number)
    if incident is None:
        raise click.ClickException(f"there is no incident {number}; `ops incidents list --all` shows them")
    return incident


class _Rehearsal:
    """Decides about a change as the ledger does, and writes nothing."""

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger

    def change_incident(self, number: int, change: Any, *_: Any) -> Any:
        from ops_project.operations.ledger.incidents import NoIncident

        incident = self.ledger.incident(number)
        if incident is None:
            raise NoIncident(f"there is no incident {number}; `ops incidents list --all` shows them")
        return change(incident)[0]


def _act(
    settings: Settings, given: int | tuple[int, ...], by: str, *, action: str, as_json: bool, change: Any, said: str
) -> None:
    """Apply a change to each incident, record it in the audit log, and print the results: as a list, unless the command
    takes one number only.

    If the command takes several numbers, the change is rehearsed on all of them first. If one incident refuses the
    change, no incident is changed.
    """
    from ops_project.operations.incidents.decide.incident import Refused
    from ops_project.operations.ledger.incidents import NoIncident

    ledger, now = _ledger(settings), settings.now()
    written = partial(ledger.audit, now, who=by, source="shell", action=action)
    numbers = (given,) if isinstance(given, int) else tuple(dict.fromkeys(given))
    changed = list[dict[str, Any]]()
    for store in (_Rehearsal(ledger), ledger) if len(numbers) > 1 else (ledger,):
        why: dict[int, str] = {}
        for number in numbers:
            subject = f"incident {number}"
            try:
                after = change(store, number, now)
            except (Refused, NoIncident) as error:
                written(subject=subject, outcome="refused", detail=str(error))
                why[number] = str(error)
                if store is ledger:
                    break
                continue
            if store is ledger:
                written(subject=subject, outcome="done", detail="")
                changed.append(_row(after))
        if why:
            raise refused(why, numbers, done=[row["number"] for row in changed])
    lines = [f"Incident {number}: {said}." for number in numbers]
    data = changed[0] if isinstance(given, int) else changed
    emit(as_json, data, lambda: console.print("\n".join(lines), markup=False))


@incidents.command()
@several_numbers
@by_person
@click.option("--note", default="", help="A note for the other responders.")
@json_option
@click.pass_obj
def ack(settings: Settings, numbers: tuple[int, ...], by: str, note: str, as_json: bool) -> None:
    """Record that you work on incidents. Their escalation ladders stop: no further person is called."""
    from ops_project.operations.incidents import actions

    said = f"acknowledged by {by}; nobody else is called"
    _act(
        settings,
        numbers,
        by,
        action="acknowledge",
        as_json=as_json,
        change=lambda ledger, number, now: actions.acknowledge(ledger, number, by, note, now),
        said=said,
    )


@incidents.command()
@several_numbers
@by_person
@click.option("--note", default="", help="A note for the other responders.")
@json_option
@click.pass_obj
def unack(settings: Settings, numbers: tuple[int, ...], by: str, note: str, as_json: bool) -> None:
    """Give incidents back. Their escalation ladders continue where they stopped."""
    from ops_project.operations.incidents import actions

    said = "given back; the escalation ladder continues"
    _act(
        settings,
        numbers,
        by,
        action="give back",
        as_json=as_json,
        change=lambda ledger, number, now: actions.give_back(ledger, number, by, note, now),
        said=said,
    )


@incidents.command()
@several_numbers
@by_person
@json_option
@click.pass_obj
def take(settings: Settings, numbers: tuple[int, ...], by: str, as_json: bool) -> None:
    """Take incidents over from the persons who work on them."""
    from ops_project.operations.incidents import actions

    _act(
        settings,
        numbers,
        by,
        action="take over",
        as_json=as_json,
        change=lambda ledger, number, now: actions.take_over(ledger, number, by, now),
        said=f"taken over by {by}",
    )


@incidents.command()
@several_numbers
@by_person
@click.option("--cause", required=True, help="What the cause was.")
@click.option("--reason", required=True, help="What ended it.")
@json_option
@click.pass_obj
def resolve(settings: Settings, *, numbers: tuple[int, ...], by: str, cause: str, reason: str, as_json: bool) -> None:
    """End incidents. No person is called any more, even if an alert still fires."""
    from ops_project.operations.incidents import actions

    change = lambda ledger, number, now: actions.resolve(ledger, number, by=by, cause=cause, reason=reason, now=now)  # noqa: E731
    _act(settings, numbers, by, action="resolve", as_json=as_json, change=change, said=f"resolved by {by}")


@incidents.command()
@several_numbers
@click.argument("words")
@by_person
@json_option
@click.pass_obj
def note(settings: Settings, numbers: tuple[int, ...], words: str, by: str, as_json: bool) -> None:
    """Add a line to the timelines of incidents."""
    from ops_project.operations.incidents import actions

    _act(
        settings,
        numbers,
        by,
        action="note",
        as_json=as_json,
        change=lambda ledger, number, now: actions.note(ledger, number, by, words, now),
        said="noted",
    )


@incidents.command()
@click.argument("number", type=NUMBER)
@click.option("--done", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The written post-mortem.")
@by_person
@json_option
@click.pass_obj
def postmortem(settings: Settings, number: int, done: Path | None, by: str, as_json: bool) -> None:
    """Print the written post-mortem; without one, a draft.

    With --done, store the written post-mortem. A text that does not answer the five questions is refused.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.incidents import actions
    from ops_project.operations.incidents.postmortem import draft
    from ops_project.operations.ledger.lineage_document import recall

    ledger = _ledger(settings)
    incident = _find(ledger, number)
    if done is not None:
        text = text_of(done)
        change = lambda ledger, number, now: actions.finish_postmortem(ledger, number, by, text, now)  # noqa: E731
        said = "its post-mortem is stored"
        _act(settings, number, by, action="post-mortem", as_json=as_json, change=change, said=said)
        return
    written = ledger.evidence(number, actions.POST_MORTEM)
    if written:
        text = written[-1]["body"]
    else:
        alerts = [alert for n in incident.alerts if (alert := ledger.alert(n)) is not None]
        text = draft(
            incident,
            ledger.incident_timeline(number),
            alerts=alerts,
            evidence=ledger.evidence(number),
            lineage=recall(ledger),
            slas=load_catalog(settings).slas.slas,
            now=settings.now(),
        )
    emit(as_json, {"number": number, "written": bool(written), "text": text}, lambda: write_out(text))


@incidents.command()
@click.option("--days", type=DAYS, default=30, show_default=True, help="The number of days to look back.")
@json_option
@click.pass_obj
def times(settings: Settings, days: int, as_json: bool) -> None:
    """Show how long it took to acknowledge and to resolve incidents, and how both times are defined."""
    from datetime import timedelta

    from ops_project.operations.incidents.times import DEFINITIONS, spells
    from ops_project.operations.incidents.times import times as of

    ledger = _ledger(settings)
    since = settings.now() - timedelta(days=days)
    found = of([s for i in ledger.incidents(None, EVERY, since) for s in spells(ledger.incident_timeline(i.number))])

    def render() -> None:
        rows = [[name.replace("_", " "), value] for name, value in vars(found).items()]
        console.print(table((f"{counted(days, 'day')}, seconds", "value"), rows))
        for name, words in DEFINITIONS.items():
            console.print(f"{name}: {words}", markup=False, soft_wrap=True)

    emit(as_json, {**vars(found), "definitions": DEFINITIONS}, render)


@incidents.command()
@click.option(
    "--limit", type=COUNT, default=50, show_default=True, help="The largest number of lines; the newest come first."
)
@json_option
@click.pass_obj
def audit(settings: Settings, limit: int, as_json: bool) -> None:
    """List who did what, when and from where: by command or by link."""
    ledger = _ledger(settings)
    rows = ledger.audit_log(limit)

    def render() -> None:
        columns = ("at", "who", "source", "action", "subject", "outcome", "detail")
        console.print(table(columns, [[row[column] for column in columns] for row in rows]) if rows else "Nothing yet.")

    emit(as_json, rows, render)
    told_if_cut(len(rows), ledger.count_audit())
