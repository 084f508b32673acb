"""`ops oncall swap`, `override` and `take`: the changes that people make to the rota."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from ops_project.cli.numbers import NUMBER
from ops_project.cli.output import console, emit, json_option, table
from ops_project.cli.rota import Rota, by_person, schedule_option
from ops_project.settings import Settings


@click.command()
@click.argument("shift", required=False)
@click.argument("other", required=False)
@click.option("--accept", type=NUMBER, metavar="NUMBER", help="Accept the swap that you were asked for.")
@click.option("--take-back", type=NUMBER, metavar="NUMBER", help="End a swap; either person may do it.")
@click.option("--list", "listed", is_flag=True, help="Show the swaps and their state.")
@click.option("--why", default="", help="The reason, for the other person.")
@by_person
@schedule_option
@json_option
@click.pass_obj
def swap(
    settings: Settings,
    *,
    shift: str | None,
    other: str | None,
    accept: int | None,
    take_back: int | None,
    listed: bool,
    why: str,
    by: str,
    schedule: str | None,
    as_json: bool,
) -> None:
    """Ask another person to swap shifts. SHIFT is a day of your shift, and OTHER is a day of that person's shift. The
    swap applies once that person accepts it.
    """
    from ops_project.operations.incidents.rota import SwapRefused, accept_swap, ask_swap, end_swap

    rota = Rota(settings, schedule)
    now = settings.now()
    if listed:
        _list_swaps(rota, as_json)
        return
    person = rota.person(by, "--by")
    try:
        if accept is not None:
            kept = accept_swap(rota.ledger, accept, person, now)
            words = f"Swap {accept} is valid now."
        elif take_back is not None:
            kept = end_swap(rota.ledger, take_back, person, now)
            words = f"Swap {take_back} has ended; the rotation applies again."
        elif shift and other:
            kept = ask_swap(rota.ledger, rota.roster, rota.shift(shift), rota.shift(other), by=person, why=why, now=now)
            words = (
                f"Asked: swap {kept.number}. {rota.shown(kept.agreed_by)} accepts with "
                f"`ops oncall swap --accept {kept.number} --by {kept.agreed_by}`; until then nothing changes."
            )
        else:
            raise click.UsageError("give two days, SHIFT and OTHER, or --accept, --take-back or --list")
    except SwapRefused as error:
        raise click.ClickException(str(error)) from None
    emit(as_json, {**_row(kept), "said": words}, lambda: console.print(words, markup=False, soft_wrap=True))


def _row(item: Any) -> dict[str, Any]:
    return {
        "number": item.number,
        "state": item.state,
        "asked_by": item.asked_by,
        "other": item.agreed_by,
        "shift": item.shift,
        "other_shift": item.other,
        "why": item.why,
        "ended_by": item.ended_by,
    }


def _list_swaps(rota: Rota, as_json: bool) -> None:
    found = rota.ledger.swaps(rota.name)
    rows = [_row(item) for item in found]

    def render() -> None:
        if not rows:
            console.print("No swap.")
            return
        shown = [
            [s.number, s.state, s.asked_by, rota.local(s.shift), s.agreed_by, rota.local(s.other), s.why] for s in found
        ]
        console.print(table(("number", "state", "asked by", "shift", "other", "other's shift", "why"), shown))

    emit(as_json, rows, render)


@click.command()
@click.argument("person", required=False)
@click.option("--from", "first", help="A day, or a time in the schedule's zone. Default: now.")
@click.option("--until", "last", help="The last day (included), or a time. Default: the end of the shift.")
@click.option("--backup", is_flag=True, help="Put PERSON on call as backup instead of primary.")
@click.option("--why", help="The reason.")
@click.option("--end", type=NUMBER, metavar="NUMBER", help="Take an override back.")
@by_person
@schedule_option
@json_option
@click.pass_obj
def override(
    settings: Settings,
    *,
    person: str | None,
    first: str | None,
    last: str | None,
    backup: bool,
    why: str | None,
    end: int | None,
    by: str,
    schedule: str | None,
    as_json: bool,
) -> None:
    """Put PERSON on call between two times, in place of the person whose turn it is."""
    rota = Rota(settings, schedule)
    if end is not None:
        if not rota.ledger.end_override(end, by, settings.now()):
            raise click.ClickException(f"there is no override {end} in force; `ops oncall calendar` shows them")
        emit(as_json, {"number": end, "ended": True}, lambda: console.print(f"Override {end} has ended."))
        return
    if person is None or not why:
        raise click.UsageError("give a PERSON and --why, or --end NUMBER")
    start = rota.moment(first, "--from") if first else settings.now()
    _cover(
        settings,
        rota,
        rota.person(person, "PERSON"),
        start=start,
        until=_end(rota, last, start),
        backup=backup,
        why=why,
        by=by,
        as_json=as_json,
    )


@click.command()
@click.option("--for", "span", help="How long: 4h, 1d. Default: until the shift ends.")
@click.option("--why", default="taken over", show_default=True, help="The reason.")
@by_person
@schedule_option
@json_option
@click.pass_obj
def take(settings: Settings, *, span: str | None, why: str, by: str, schedule: str | None, as_json: bool) -> None:
    """Be on call from now on, in place of the person who is on call now."""
    from ops_project.model.duration import parse_duration

    rota = Rota(settings, schedule)
    start = settings.now()
    try:
        until = start + parse_duration(span) if span else _end(rota, None, start)
    except ValueError as error:
        raise click.UsageError(f"--for {error}") from None
    _cover(
        settings, rota, rota.person(by, "--by"), start=start, until=until, backup=False, why=why, by=by, as_json=as_json
    )


def _end(rota: Rota, last: str | None, start: datetime) -> datetime:
    if last is None:
        return rota.roster.starts(rota.roster.shift_at(start) + 1)
    until = rota.moment(last, "--until")
    return until + timedelta(days=1) if len(last) == len("2026-12-24") else until


def _cover(
    settings: Settings,
    rota: Rota,
    person: str,
    *,
    start: datetime,
    until: datetime,
    backup: bool,
    why: str,
    by: str,
    as_json: bool,
) -> None:
    from ops_project.operations.oncall.roster import Cover

    if until <= start:
        raise click.UsageError(f"--until {rota.local(until)} is not after {rota.local(start)}")
    if until <= settings.now():
        raise click.UsageError(f"{rota.local(until)} has passed; an override cannot change the past")
    cover = Cover(number=0, person=person, role="backup" if backup else "primary", start=start, end=until, why=why)
    number = rota.ledger.override(rota.name, cover, by, settings.now())
    role = "backup" if backup else "on call"
    words = f"Override {number}: {rota.shown(person)} is {role} from {rota.local(start)} until {rota.local(until)}."
    data = {"number": number, "person": person, "start": start, "end": until, "why": why}
    emit(as_json, data, lambda: console.print(words, markup=False))
