"""`ops oncall`: who is on call, the calendar, and the changes that people make to it."""

from __future__ import annotations

import getpass
from datetime import datetime, timedelta
from typing import Any

import click

from ops_project.cli.numbers import NUMBER
from ops_project.cli.output import console, emit, json_option, table
from ops_project.settings import Settings

DEFAULT_WEEKS = 8


@click.group()
def oncall() -> None:
    """Who is on call; overrides, swaps, the calendar and its fairness."""


schedule_option = click.option("--schedule", help="Which schedule. Default: the one that pages.")
by_option = click.option(
    "--by", default=getpass.getuser, show_default="the user", help="The person who does this, by id."
)


class Rota:
    """The configuration, the ledger and the roster of one schedule, opened once for each command."""

    def __init__(self, settings: Settings, schedule: str | None) -> None:
        from ops_project.catalog import load as load_catalog
        from ops_project.operations.incidents.rota import current
        from ops_project.operations.ledger import open_ledger

        self.catalog = load_catalog(settings)
        self.ledger = open_ledger(settings)
        self.name = schedule or self.catalog.oncall.main() or ""
        rosters = current(self.catalog, self.ledger)
        if self.name not in rosters:
            valid = ", ".join(rosters) or "none: oncall.yaml has no schedule"
            raise click.UsageError(f"there is no schedule {self.name!r}; valid: {valid}")
        self.roster = rosters[self.name]

    def person(self, name: str, option: str) -> str:
        """The id of a person that is named by id or by e-mail."""
        found = self.catalog.owners.people_of(name)
        if len(found) != 1 or name.startswith("team:"):
            valid = ", ".join(sorted(self.catalog.owners.people))
            raise click.UsageError(f"{option} {name!r} is not a person of owners.yaml; valid: {valid}")
        return found[0]

    def shown(self, person: str) -> str:
        found = self.catalog.owners.people.get(person)
        return found.name if found is not None else person

    def moment(self, text: str, option: str) -> datetime:
        """A day (its first moment in the schedule's zone) or a time. A time without an offset is in the schedule's
        zone.
        """
        from datetime import date

        from ops_project.operations.oncall.wall_clock import aware, midnight

        try:
            if len(text) == len("2026-12-24"):
                return midnight(date.fromisoformat(text), self.roster.zone)
            return aware(datetime.fromisoformat(text), self.roster.zone)
        except ValueError as error:
            raise click.UsageError(
                f"{option} {text!r} is not understood ({error}); write 2026-12-24 or 2026-12-24T09:00"
            ) from None

    def shift(self, text: str) -> int:
        """The number of the shift that begins on, or is running on, a local day."""
        from datetime import date

        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise click.UsageError(f"{text!r} is not a day ({error}); write 2026-12-21") from None
        begins = self.roster.shift_on(day)
        return begins if begins is not None else self.roster.shift_at(self.moment(text, "DAY") + timedelta(hours=12))

    def local(self, at: datetime) -> str:
        return f"{at.astimezone(self.roster.zone):%a %Y-%m-%d %H:%M}"


@oncall.command()
@click.option("--at", help="When: 2026-12-25, or 2026-12-25T03:00 in the schedule's zone. Default: now.")
@schedule_option
@json_option
@click.pass_obj
def who(settings: Settings, at: str | None, schedule: str | None, as_json: bool) -> None:
    """Show who is on call, why, until when, and how to reach that person."""
    rota = Rota(settings, schedule)
    moment = rota.moment(at, "--at") if at else settings.now()
    found, roster = rota.roster.at(moment), rota.roster
    ends = roster.starts(roster.shift_at(moment) + 1)
    data = {
        "schedule": rota.name,
        "at": moment,
        "primary": found.primary,
        "backup": found.backup,
        "paged": list(found.paged),
        "why": found.why.value,
        "note": found.note,
        "shift_ends_at": ends,
    }

    def render() -> None:
        console.print(f"{rota.roster.schedule.title}, {rota.local(moment)} ({roster.schedule.zone})", markup=False)
        for role, person in (("primary", found.primary), ("backup", found.backup)):
            known = rota.catalog.owners.people.get(person)
            ways = ", ".join(w for w in ((known.phone, known.slack, known.email) if known else ()) if w)
            console.print(f"  {role}: {rota.shown(person)} ({ways or person})", markup=False)
        if found.both:
            console.print("  two people are on call: a page goes to both")
        console.print(f"  why: {found.why.value}{f', {found.note}' if found.note else ''}", markup=False)
        console.print(f"  the shift ends {rota.local(ends)}", markup=False)

    emit(as_json, data, render)


@oncall.command()
@click.option("--from", "first", help="The first day. Default: now.")
@click.option("--weeks", type=click.IntRange(1, 520), default=DEFAULT_WEEKS, show_default=True, help="How many weeks.")
@click.option("--ical", is_flag=True, help="Print an iCalendar file that a calendar can import.")
@schedule_option
@json_option
@click.pass_obj
def calendar(
    settings: Settings, *, first: str | None, weeks: int, ical: bool, schedule: str | None, as_json: bool
) -> None:
    """Show who is on call in the weeks ahead, with swaps, overrides and holidays."""
    from ops_project.operations.oncall.ical import calendar as as_ical
    from ops_project.operations.oncall.roster import spans

    rota = Rota(settings, schedule)
    start = rota.moment(first, "--from") if first else settings.now()
    found = spans(rota.roster, start, start + timedelta(weeks=weeks))
    if ical:
        names = {slug: person.name for slug, person in rota.catalog.owners.people.items()}
        click.echo(as_ical(rota.name, rota.roster.schedule.title, found, names, settings.now()), nl=False)
        return
    rows = [
        {
            "start": span.start,
            "end": span.end,
            "primary": span.on_call.primary,
            "backup": span.on_call.backup,
            "both": span.on_call.both,
            "why": span.on_call.why.value,
            "note": span.on_call.note,
        }
        for span in found
    ]

    def render() -> None:
        shown = [
            [
                rota.local(span.start),
                rota.local(span.end),
                rota.shown(span.on_call.primary),
                rota.shown(span.on_call.backup) + (" (paged too)" if span.on_call.both else ""),
                span.on_call.why.value + (f": {span.on_call.note}" if span.on_call.note else ""),
            ]
            for span in found
        ]
        console.print(table(("from", "until", "primary", "backup", "why"), shown))

    emit(as_json, rows, render)


@oncall.command()
@click.argument("shift", required=False)
@click.argument("other", required=False)
@click.option("--accept", type=NUMBER, metavar="NUMBER", help="Accept the swap that you were asked for.")
@click.option("--take-back", type=NUMBER, metavar="NUMBER", help="End a swap; either person may do it.")
@click.option("--list", "listed", is_flag=True, help="Show the swaps and their state.")
@click.option("--why", default="", help="The reason, for the other person.")
@by_option
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
    """Ask to change shifts: SHIFT is a day of your shift, OTHER a day of the other person's shift. The swap is valid
    once it is accepted.
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
            words = f"Swap {accept} holds."
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


@oncall.command()
@click.argument("person", required=False)
@click.option("--from", "first", help="A day, or a time in the schedule's zone. Default: now.")
@click.option("--until", "last", help="The last day (included), or a time. Default: the end of the shift.")
@click.option("--backup", is_flag=True, help="As backup instead of primary.")
@click.option("--why", help="Why.")
@click.option("--end", type=NUMBER, metavar="NUMBER", help="Take an override back.")
@by_option
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
    """Put PERSON on call in place of the rotation, between two times."""
    rota = Rota(settings, schedule)
    if end is not None:
        if not rota.ledger.end_override(end, by, settings.now()):
            raise click.ClickException(f"there is no override {end} that holds; `ops oncall calendar` shows them")
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


@oncall.command()
@click.option("--for", "span", help="How long: 4h, 1d. Default: until the shift ends.")
@click.option("--why", default="taken over", show_default=True, help="Why.")
@by_option
@schedule_option
@json_option
@click.pass_obj
def take(settings: Settings, *, span: str | None, why: str, by: str, schedule: str | None, as_json: bool) -> None:
    """Be on call from now on, in place of the present person."""
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
        raise click.UsageError(f"--until {rota.local(until)} does not lie after {rota.local(start)}")
    if until <= settings.now():
        raise click.UsageError(f"{rota.local(until)} has passed; what has happened is not changed")
    cover = Cover(number=0, person=person, role="backup" if backup else "primary", start=start, end=until, why=why)
    number = rota.ledger.override(rota.name, cover, by, settings.now())
    role = "backup" if backup else "on call"
    words = f"Override {number}: {rota.shown(person)} is {role} from {rota.local(start)} until {rota.local(until)}."
    data = {"number": number, "person": person, "start": start, "end": until, "why": why}
    emit(as_json, data, lambda: console.print(words, markup=False))


@oncall.command()
@click.option("--weeks", type=click.IntRange(1, 520), default=52, show_default=True, help="How far to look ahead.")
@schedule_option
@json_option
@click.pass_obj
def score(settings: Settings, weeks: int, schedule: str | None, as_json: bool) -> None:
    """Score the rota: gaps, imbalance, holidays and absences, each with a fix. Fails if there is a gap."""
    from ops_project.operations.oncall.score import score as of

    rota = Rota(settings, schedule)
    found = of(rota.roster, settings.now(), weeks)

    def render() -> None:
        console.print(f"{rota.roster.schedule.title}: {found.points} of 100 points over {weeks} weeks.", markup=False)
        rows = [
            [rota.shown(person), found.shifts.get(person, 0), found.holidays.get(person, 0), hours]
            for person, hours in found.hours.items()
        ]
        console.print(table(("person", "shifts", "holidays", "hours"), rows))
        for item in found.findings:
            console.print(f"{item.kind}: {item.what}\n  fix: {item.fix}", markup=False, soft_wrap=True)
        if not found.findings:
            console.print("Nothing to mend.")

    emit(as_json, found, render)
    if any(item.kind == "gap" for item in found.findings):
        raise SystemExit(1)
