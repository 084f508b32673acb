"""There is exactly one primary in every minute of five years, in any zone, and the burden is shared evenly."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_project.model.oncall.schedule import Schedule
from ops_project.operations.oncall.holiday_days import holidays_of
from ops_project.operations.oncall.roster import Cover, Roster, Swap, Why, spans
from ops_project.operations.oncall.wall_clock import midnight, moment, reading

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
ODD = ("Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "Pacific/Apia", "America/New_York", "Africa/Cairo")
MINUTE = timedelta(minutes=1)


def _schedule(people: int, zone: str, **fields) -> Schedule:
    names = [f"p{number}" for number in range(people)]
    return Schedule.model_validate(
        {
            "title": "test",
            "zone": zone,
            "starts": date(2024, 1, 1),
            "rotation": [{"primary": name, "backup": names[(i + 1) % people]} for i, name in enumerate(names)],
            "fallback": "boss",
            **fields,
        }
    )


@st.composite
def rosters(draw, least: int = 2) -> Roster:
    zone = draw(st.sampled_from(ODD) | st.sampled_from(ZONES))
    start = draw(st.dates(date(1996, 1, 1), date(2040, 12, 31)))
    every = draw(st.sampled_from(["7d", "14d", "1d", "3d", "28d", "10d"]) | st.integers(24, 700).map(lambda h: f"{h}h"))
    dates = draw(st.sets(st.integers(0, 5 * 366), max_size=60))
    schedule = _schedule(
        draw(st.integers(least, 9)),
        zone,
        starts=start,
        every=every,
        handoff=f"{draw(st.integers(0, 23)):02d}:{draw(st.sampled_from([0, 15, 30])):02d}",
        holidays={
            "country": draw(st.sampled_from([None, "US", "GB", "DE-BY", "JP"])),
            "dates": [start + timedelta(days=day) for day in dates],
        },
        two_on_call=draw(st.sampled_from([[], [{"first": "12-20", "last": "01-02"}]])),
    )
    return Roster("test", schedule)


FIVE_YEARS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FIVE_YEARS
@given(rosters(), st.randoms(use_true_random=False))
def test_exactly_one_primary_in_every_minute_of_five_years(roster: Roster, random) -> None:
    begin = moment(datetime.combine(roster.schedule.starts, time()), roster.zone) - timedelta(days=400)
    end = begin + timedelta(days=5 * 366)
    shifts = [roster.starts(n) for n in range(roster.shift_at(begin), roster.shift_at(end) + 2)]
    assert shifts == sorted(shifts), "a later shift never begins earlier"
    found = spans(roster, begin, end)
    assert found[0].start == begin and found[-1].end == end
    assert all(before.end == after.start for before, after in itertools.pairwise(found))
    assert all(span.start < span.end and span.on_call.primary for span in found)
    # What is shown is true in each minute. The minutes around every change are tested, and random ones.
    edges = [span.start + offset for span in random.sample(found, min(40, len(found))) for offset in (-MINUTE, MINUTE)]
    others = [begin + timedelta(minutes=random.randrange(5 * 366 * 1440)) for _ in range(40)]
    starts = [span.start for span in found]
    for minute in [*edges, *others]:
        if begin <= minute < end:
            shown = found[bisect_right(starts, minute) - 1].on_call
            assert roster.at(minute) == shown
            assert len(shown.paged) == 1 + (shown.both and shown.backup != shown.primary)


@FIVE_YEARS
@given(rosters())
def test_shifts_and_holidays_of_a_year_differ_by_at_most_one(roster: Roster) -> None:
    first = roster.schedule.starts.year
    for year in range(first, first + 5):
        begin = midnight(date(year, 1, 1), roster.zone)
        numbers = range(roster.shift_at(begin), roster.shift_at(midnight(date(year + 1, 1, 1), roster.zone)) + 1)
        weeks = Counter(dict.fromkeys(roster.schedule.people(), 0))
        weeks.update(roster.holder(n)[0] for n in numbers if reading(roster.starts(n), roster.zone).date().year == year)
        assert max(weeks.values()) - min(weeks.values()) <= 1, (year, weeks)
        had = Counter(dict.fromkeys(roster.schedule.people(), 0))
        had.update(
            roster.at(moment(datetime.combine(day, time(12)), roster.zone)).primary
            for day in holidays_of(roster.schedule.holidays, year)
        )
        assert max(had.values()) - min(had.values()) <= 1, (year, had)


@FIVE_YEARS
@given(rosters(least=3), st.randoms(use_true_random=False))
def test_swaps_overrides_and_absences_leave_exactly_one_and_nobody_who_is_absent(roster: Roster, random) -> None:
    begin = moment(datetime.combine(roster.schedule.starts, time(12)), roster.zone)
    people = [*roster.schedule.people()]
    swaps, covers, absences = [], [], {}
    for number in range(3):
        mine, other = random.sample(range(60), 2)
        swaps.append(
            Swap(
                number, roster.starts(mine), roster.starts(other), roster.pair(mine).primary, roster.pair(other).primary
            )
        )
        at = begin + timedelta(hours=random.randrange(9000))
        role = random.choice(["primary", "backup"])
        covers.append(
            Cover(number, random.choice(people), role, at, at + timedelta(hours=random.randrange(1, 90)), "x")
        )
        away = begin + timedelta(hours=random.randrange(9000))
        absences.setdefault(random.choice(people), []).append((away, away + timedelta(days=20)))
    changed = Roster("test", roster.schedule, swaps, covers, absences)
    found = spans(changed, begin, begin + timedelta(days=400))
    assert all(before.end == after.start for before, after in itertools.pairwise(found))
    for span in found:
        for at in (span.start, span.end - timedelta(seconds=1)):
            now = changed.at(at)
            assert now == span.on_call
            assert now.primary == "boss" or not changed.absent(now.primary, at)


def test_the_shipped_four_weeks_follow_each_other() -> None:
    order = [("a", "c"), ("b", "d"), ("c", "a"), ("d", "b")]
    schedule = _schedule(
        4,
        "America/New_York",
        starts=date(2026, 1, 5),
        rotation=[{"primary": p, "backup": b} for p, b in order],
        two_on_call=[{"first": "12-24", "last": "12-31"}],
    )
    roster = Roster("test", schedule)
    seen = [roster.at(datetime(2026, 3, 2, 15, tzinfo=UTC) + timedelta(weeks=week)) for week in range(8)]
    assert [(o.primary, o.backup) for o in seen] == order * 2
    christmas = roster.at(datetime(2026, 12, 25, 12, tzinfo=UTC))
    assert christmas.both and len(christmas.paged) == 2
    assert not roster.at(datetime(2026, 12, 23, 12, tzinfo=UTC)).both


@pytest.mark.parametrize("zone", ODD)
def test_a_handoff_is_at_nine_by_the_wall_clock_on_both_sides_of_a_change(zone: str) -> None:
    roster = Roster("test", _schedule(3, zone))
    for number in range(260):
        shown = reading(roster.starts(number), ZoneInfo(zone))
        assert (shown.hour, shown.minute) == (9, 0)


def test_a_handoff_in_the_hour_that_is_skipped_is_when_the_clock_jumps() -> None:
    # Lord Howe puts its clock forward by half an hour, from 02:00 to 02:30, on 4 October 2026.
    roster = Roster("test", _schedule(2, "Australia/Lord_Howe", starts=date(2026, 10, 4), handoff="02:10", every="1d"))
    jump = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert roster.starts(0) == jump
    assert roster.at(jump - MINUTE).primary != roster.at(jump).primary


def test_the_day_that_samoa_skipped_has_no_shift_and_no_gap() -> None:
    roster = Roster("test", _schedule(3, "Pacific/Apia", starts=date(2011, 12, 28), every="1d"))
    assert roster.starts(2) == roster.starts(3) - timedelta(0) or roster.starts(2) < roster.starts(3)
    found = spans(roster, roster.starts(0), roster.starts(5))
    assert all(before.end == after.start for before, after in itertools.pairwise(found))


def test_a_swap_changes_both_shifts_and_the_backup_is_never_the_primary() -> None:
    base = Roster("test", _schedule(2, "UTC"))
    swap = Swap(1, base.starts(4), base.starts(7), "p0", "p1")
    roster = Roster("test", base.schedule, [swap])
    for number, expected in ((4, "p1"), (7, "p0"), (5, "p1"), (6, "p0")):
        on_call = roster.at(roster.starts(number) + MINUTE)
        assert on_call.primary == expected and on_call.backup != expected
    assert roster.at(roster.starts(4) + MINUTE).why is Why.SWAP


def test_a_late_swap_does_not_rewrite_the_holidays_before_it() -> None:
    schedule = _schedule(4, "America/New_York", holidays={"country": "US"})
    base = Roster("test", schedule)
    number = base.shift_at(datetime(2025, 11, 12, 12, tzinfo=UTC))
    swap = Swap(1, base.starts(number), base.starts(number + 1), base.holder(number)[0], base.holder(number + 1)[0])
    changed = Roster("test", schedule, [swap])
    for day in holidays_of(schedule.holidays, 2025):
        noon = moment(datetime.combine(day, time(12)), base.zone)
        if noon < base.starts(number):
            assert changed.at(noon).primary == base.at(noon).primary


def test_whoever_is_absent_is_replaced_by_the_backup_and_then_by_a_named_person() -> None:
    schedule = _schedule(2, "UTC")
    at = datetime(2024, 1, 3, tzinfo=UTC)
    away = (at - timedelta(days=9), at + timedelta(days=9))
    assert Roster("t", schedule, absences={"p0": [away]}).at(at).primary == "p1"
    both = Roster("t", schedule, absences={"p0": [away], "p1": [away]}).at(at)
    assert (both.primary, both.why) == ("boss", Why.FALLBACK)
    assert "p0" in both.note and "p1" in both.note


def test_shifts_shorter_than_a_day_follow_the_wall_clock() -> None:
    roster = Roster("test", _schedule(2, "Europe/London", every="12h", starts=date(2026, 3, 28), handoff="08:00"))
    shown = [reading(roster.starts(n), roster.zone).strftime("%d %H:%M") for n in range(4)]
    assert shown == ["28 08:00", "28 20:00", "29 08:00", "29 20:00"]
