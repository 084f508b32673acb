"""Judges the coming year of a rota: gaps, imbalance, holidays and absences. Each finding says how to repair it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ops_project.counted import counted
from ops_project.operations.oncall.holiday_days import holidays_of
from ops_project.operations.oncall.roster import Roster, Span, Why, spans
from ops_project.operations.oncall.wall_clock import midnight, moment, reading

WEEKS = 52
NOTICE = timedelta(days=14)
"""A gap is reported as soon as it begins within this time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a rota."""

    kind: str
    """The kind of the finding: gap, absence, imbalance or holidays."""
    at: datetime
    until: datetime
    what: str
    fix: str
    """How to repair the rota, as a command if there is one."""


@dataclass(frozen=True)
class Score:
    """The judgement of the coming weeks. `points`: 100, minus 20 for each gap, and minus 5 for each absence and each
    imbalance.
    """

    schedule: str
    points: int
    hours: dict[str, float]
    """Person → hours as primary."""
    shifts: dict[str, int]
    """Person → number of shifts that begin in these weeks, after swaps."""
    holidays: dict[str, int]
    """Person → number of holidays as primary in these weeks."""
    holidays_by_year: dict[int, dict[str, int]]
    """Calendar year → person → number of holidays as primary. The whole year counts, including the days before now."""
    findings: list[Finding]


def score(roster: Roster, now: datetime, weeks: int = WEEKS) -> Score:
    """Judge the next `weeks` weeks."""
    end = now + timedelta(weeks=weeks)
    found = spans(roster, now, end)
    hours: Counter[str] = Counter()
    for span in found:
        hours[span.on_call.primary] += int((span.end - span.start).total_seconds())
    shifts = _shifts(roster, now, end)
    years = {
        year: dict(sorted(_holidays(roster, *days_of(roster, date(year, 1, 1), date(year, 12, 31))).items()))
        for year in range(_day(roster, now).year, _day(roster, end - timedelta(microseconds=1)).year + 1)
    }
    findings = sorted(
        [*_absences(roster, found), *_imbalance(shifts, now, end), *_holiday_findings(roster, years, now, end)],
        key=lambda finding: (finding.at, finding.kind),
    )
    cost = sum(20 if finding.kind == "gap" else 5 for finding in findings)
    return Score(
        schedule=roster.name,
        points=max(0, 100 - cost),
        hours={person: round(seconds / 3600, 1) for person, seconds in sorted(hours.items())},
        shifts=dict(sorted(shifts.items())),
        holidays=dict(sorted(_holidays(roster, now, end).items())),
        holidays_by_year=years,
        findings=findings,
    )


def upcoming_gaps(roster: Roster, now: datetime) -> list[Finding]:
    """The gaps that begin within two weeks. A gap is reported this early, so that it can be closed before a page
    reaches nobody.
    """
    return [f for f in _absences(roster, spans(roster, now, now + NOTICE)) if f.kind == "gap"]


def _shifts(roster: Roster, now: datetime, end: datetime) -> Counter[str]:
    result = Counter(dict.fromkeys(roster.schedule.people(), 0))
    number = roster.shift_at(now) + 1
    while roster.starts(number) < end:
        result[roster.holder(number)[0]] += 1
        number += 1
    return result


def _holidays(roster: Roster, now: datetime, end: datetime) -> Counter[str]:
    result = Counter(dict.fromkeys(roster.schedule.people(), 0))
    for year in range(now.year, end.year + 1):
        for day in holidays_of(roster.schedule.holidays, year):
            noon = moment(datetime.combine(day, time(12)), roster.zone)
            if now <= noon < end:
                result[roster.at(noon).primary] += 1
    return result


def _absences(roster: Roster, found: list[Span]) -> Iterator[Finding]:
    for span in found:
        first, last = _day(roster, span.start), _day(roster, span.end - timedelta(seconds=1))
        if span.on_call.why is Why.FALLBACK:
            free = _free(roster, span)
            yield Finding(
                "gap",
                span.start,
                span.end,
                f"{first} to {last}: {span.on_call.note}; {span.on_call.primary} would be called",
                f"ops oncall override {free} --from {first} --until {last} --why 'covers a gap'"
                if free
                else "nobody of the rotation is free: name somebody else with `ops oncall override`",
            )
        elif span.on_call.why is Why.ABSENCE:
            yield Finding(
                "absence",
                span.start,
                span.end,
                f"{first} to {last}: {span.on_call.note}; the backup {span.on_call.primary} stands in",
                _swap_for(roster, span),
            )


def _swap_for(roster: Roster, span: Span) -> str:
    """The command that swaps the shift with a later one whose primary is free. It is the nearest such shift. If there
    is none, the answer is another command.
    """
    number = roster.shift_at(span.start)
    away = roster.holder(number)[0]
    mine = _day(roster, roster.starts(number))
    for ahead in range(1, 3 * len(roster.schedule.rotation) + 1):
        other = roster.holder(number + ahead)[0]
        if other == away or _busy(roster, other, number) or _busy(roster, away, number + ahead):
            continue
        theirs = _day(roster, roster.starts(number + ahead))
        return f"ops oncall swap {mine} {theirs} --why 'absence'  (asks {other})"
    return f"nobody can swap: `ops oncall override PERSON --from {mine} …`"


def _busy(roster: Roster, person: str, number: int) -> bool:
    start, end = roster.starts(number), roster.starts(number + 1)
    return any(a < end and b > start for a, b in roster.absences.get(person, ()))


def _free(roster: Roster, span: Span) -> str:
    away = {p for p in roster.schedule.people() if _overlaps(roster, p, span)}
    return next((person for person in roster.schedule.people() if person not in away), "")


def _overlaps(roster: Roster, person: str, span: Span) -> bool:
    return any(a < span.end and b > span.start for a, b in roster.absences.get(person, ()))


def _imbalance(shifts: Counter[str], now: datetime, end: datetime) -> Iterator[Finding]:
    most, least = max(shifts, key=lambda p: shifts[p]), min(shifts, key=lambda p: shifts[p])
    if shifts[most] - shifts[least] > 1:
        yield Finding(
            "imbalance",
            now,
            end,
            f"{most} has {counted(shifts[most], 'shift')} and {least} {shifts[least]}",
            f"let {least} take a shift of {most}: `ops oncall override {least} --from … --until …`",
        )


def _holiday_findings(
    roster: Roster, years: dict[int, dict[str, int]], now: datetime, end: datetime
) -> Iterator[Finding]:
    # The plan distributes the holidays of a calendar year. The weeks that are judged may cover parts of two years, so
    # their holidays are not compared.
    plan = "" if roster.schedule.holidays.balance else ", or set `holidays: {balance: true}` in oncall.yaml"
    for year, days in years.items():
        most, least = max(days, key=lambda p: days[p]), min(days, key=lambda p: days[p])
        if days[most] - days[least] > 1:
            first, after = days_of(roster, date(year, 1, 1), date(year, 12, 31))
            yield Finding(
                "holidays",
                max(now, first),
                min(end, after),
                f"in {year}, {most} has {days[most]} holidays and {least} {days[least]}",
                f"let {least} take one of them: `ops oncall override {least} --from DAY --until DAY`{plan}",
            )


def _day(roster: Roster, at: datetime) -> date:
    return reading(at, roster.zone).date()


def days_of(roster: Roster, first: date, last: date) -> tuple[datetime, datetime]:
    """00:00 of `first`, and 00:00 of the day after `last`, in the schedule's zone. The second moment is not included in
    the span.
    """
    return midnight(first, roster.zone), midnight(last + timedelta(days=1), roster.zone)
