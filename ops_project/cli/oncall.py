"""`ops oncall`: shows who is on call and the calendar, and takes the changes that people make to it."""

from __future__ import annotations

from datetime import timedelta

import click

from ops_project.cli.oncall_changes import override, swap, take
from ops_project.cli.output import console, emit, json_option, table
from ops_project.cli.rota import Rota, schedule_option
from ops_project.counted import counted
from ops_project.settings import Settings

DEFAULT_WEEKS = 8


@click.group()
def oncall() -> None:
    """Show who is on call, the calendar and its fairness; override and swap shifts."""


oncall.add_command(swap)
oncall.add_command(override)
oncall.add_command(take)


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
    """Show who is on call in the coming weeks, with swaps, overrides and holidays."""
    from ops_project.operations.oncall.ical import calendar as as_ical
    from ops_project.operations.oncall.roster import spans, whole_spans

    rota = Rota(settings, schedule)
    start = rota.moment(first, "--from") if first else settings.now()
    end = start + timedelta(weeks=weeks)
    if ical:
        found = whole_spans(rota.roster, start, end)
        names = {slug: person.name for slug, person in rota.catalog.owners.people.items()}
        # The text is written as it is, because each line of a calendar file must end with CR LF. It holds no other
        # control character.
        click.echo(as_ical(rota.name, rota.roster.schedule.title, found, names, settings.now()), nl=False)
        return
    found = spans(rota.roster, start, end)
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
@click.option(
    "--weeks", type=click.IntRange(1, 520), default=52, show_default=True, help="The number of weeks to judge."
)
@schedule_option
@json_option
@click.pass_obj
def score(settings: Settings, weeks: int, schedule: str | None, as_json: bool) -> None:
    """Score the rota: gaps, imbalance, holidays and absences, each with a way to mend it. Fails if there is a gap."""
    from ops_project.operations.oncall.score import score as of

    rota = Rota(settings, schedule)
    found = of(rota.roster, settings.now(), weeks)

    def render() -> None:
        console.print(
            f"{rota.roster.schedule.title}: {found.points} of 100 points over {counted(weeks, 'week')}.", markup=False
        )
        rows = [
            [
                rota.shown(person),
                found.shifts.get(person, 0),
                found.holidays.get(person, 0),
                *(days.get(person, 0) for days in found.holidays_by_year.values()),
                hours,
            ]
            for person, hours in found.hours.items()
        ]
        years = [f"in {year}" for year in found.holidays_by_year]
        console.print(table(("person", "shifts", "holidays", *years, "hours"), rows))
        console.print(
            f"Shifts, holidays and hours are those of {counted(weeks, 'week')}; a year's column has its holidays.\n"
            "The plan shares the holidays of a calendar year: two people differ by at most one, unless a swap, "
            "an override or an absence changed it.",
            markup=False,
            soft_wrap=True,
        )
        for item in found.findings:
            console.print(f"{item.kind}: {item.what}\n  fix: {item.fix}", markup=False, soft_wrap=True)
        if not found.findings:
            console.print("Nothing to mend.")

    emit(as_json, found, render)
    if any(item.kind == "gap" for item in found.findings):
        raise SystemExit(1)
