"""The rota of one schedule: who is on call at a given moment. The console, the commands and the pages all use this
module.

The rotation decides first. It is overruled by a swap that both people have agreed to. A swap is overruled by a holiday
that was handed over in advance, and an override overrules everything else. If the chosen person is absent, the backup
stands in, otherwise the fallback of the schedule. So there is exactly one primary at every moment, even before the
first day of the rotation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from ops_project.model.oncall.schedule import BACKUP, PRIMARY, Pair, Schedule
from ops_project.operations.oncall.holiday_days import holidays_of
from ops_project.operations.oncall.wall_clock import aware, midnight, moment, reading

NOON = time(12)


class Why(StrEnum):
    """Why somebody is the primary."""

    ROTATION = "rotation"
    SWAP = "swap"
    HOLIDAY = "holiday"
    OVERRIDE = "override"
    ABSENCE = "absence"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Swap:
    """A swap of two shifts between their primaries. A shift is named by its first moment."""

    number: int
    shift: datetime
    other: datetime
    asked_by: str
    """The primary of `shift` before the swap."""
    agreed_by: str
    """The primary of `other` before the swap."""


@dataclass(frozen=True, slots=True)
class Cover:
    """An override: `person` has `role` from `start` until `end`, not including `end`."""

    number: int
    person: str
    role: str
    start: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call at one moment."""

    primary: str
    backup: str
    """The person who stands in. It equals `primary` only if nobody else is left."""
    both: bool
    """Whether two people are on call. If so, a page also goes to the backup."""
    why: Why
    turn: str
    """The person whose turn it is according to the rotation."""
    note: str = ""

    @property
    def paged(self) -> tuple[str, ...]:
        """Everybody to whom a page goes."""
        return (self.primary, self.backup) if self.both and self.backup != self.primary else (self.primary,)


Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Roster:
    """A schedule with everything that changes it. `covers`: a later one takes precedence. `swaps`: in the order in
    which they were agreed.
    """

    name: str
    schedule: Schedule
    swaps: Sequence[Swap] = ()
    covers: Sequence[Cover] = ()
    absences: Mapping[str, Sequence[Interval]] = field(default_factory=dict)
    """Person → the times at which that person cannot be called."""
    _handed: dict[int, dict[date, str]] = field(default_factory=dict, repr=False, compare=False)
    _agreed: dict[datetime, tuple[str, int]] = field(default_factory=dict, repr=False, compare=False)
    _made: list[Cover] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        for number, written in enumerate(self.schedule.overrides):
            start, end = aware(written.start, self.zone), aware(written.end, self.zone)
            self._made.append(
                Cover(
                    number=-1 - number, person=written.person, role=written.role, start=start, end=end, why=written.why
                )
            )
        self._made.extend(self.covers)
        for agreed in self.schedule.swaps:
            mine, theirs = self.shift_on(agreed.shift), self.shift_on(agreed.other)
            if mine is not None and theirs is not None:
                self._agree(mine, theirs, self.holder(theirs)[0], self.holder(mine)[0], 0)
        for swap in self.swaps:
            self._agreed[swap.shift] = (swap.agreed_by, swap.number)
            self._agreed[swap.other] = (swap.asked_by, swap.number)

    def _agree(self, mine: int, theirs: int, new_mine: str, new_theirs: str, number: int) -> None:
        self._agreed[self.starts(mine)] = (new_mine, number)
        self._agreed[self.starts(theirs)] = (new_theirs, number)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.schedule.zone)

    # ---- shifts
    def starts(self, number: int) -> datetime:
        """The first moment (UTC) of shift `number`. Shift 0 begins on the first day of the schedule."""
        local = datetime.combine(self.schedule.starts, time.fromisoformat(self.schedule.handoff))
        return moment(local + number * self.schedule.every, self.zone)

    def shift_at(self, at: datetime) -> int:
        """The number of the shift that contains `at`."""
        local = datetime.combine(self.schedule.starts, time.fromisoformat(self.schedule.handoff))
        number = (reading(at, self.zone) - local) // self.schedule.every
        while self.starts(number) > at:
            number -= 1
        while self.starts(number + 1) <= at:
            number += 1
        return number

    def shift_on(self, day: date) -> int | None:
        """The number of the first shift that begins on this local day; None if none begins on it."""
        number = self.shift_at(midnight(day, self.zone))
        for candidate in (number, number + 1):
            if reading(self.starts(candidate), self.zone).date() == day:
                return candidate
        return None

    def pair(self, number: int) -> Pair:
        """The primary and the backup of a shift, according to the rotation."""
        return self.schedule.rotation[number % len(self.schedule.rotation)]

    def holder(self, number: int) -> tuple[str, bool]:
        """The primary of a shift, and whether a swap has made this person primary."""
        agreed = self._agreed.get(self.starts(number))
        return (agreed[0], True) if agreed is not None else (self.pair(number).primary, False)

    def at(self, at: datetime) -> OnCall:
        """Who is on call at `at`."""
        number = self.shift_at(at)
        pair = self.pair(number)
        primary, swapped = self.holder(number)
        why, note = (Why.SWAP, f"in place of {pair.primary}") if swapped else (Why.ROTATION, "")
        backup = pair.backup if pair.backup != primary else pair.primary
        day = reading(at, self.zone).date()
        handed = self.handed_over(day.year).get(day)
        if handed is not None and handed != primary:
            note = f"{day} was handed over by {primary}"
            backup = backup if backup != handed else primary
            primary, why = handed, Why.HOLIDAY
        for cover in self._made:
            if cover.start <= at < cover.end:
                if cover.role == PRIMARY and cover.person != primary:
                    backup = backup if backup != cover.person else primary
                    primary, why, note = cover.person, Why.OVERRIDE, cover.why
                elif cover.role == BACKUP and cover.person != primary:
                    backup = cover.person
        both = any(period.holds(day) for period in self.schedule.two_on_call)
        return self._present(at, primary, backup, both=both, why=why, note=note, turn=pair.primary)

    def _present(
        self, at: datetime, primary: str, backup: str, *, both: bool, why: Why, note: str, turn: str
    ) -> OnCall:
        fallback = self.schedule.fallback
        others = [name for name in (*(p.primary for p in self.schedule.rotation), fallback) if name != primary]
        if self.absent(primary, at):
            note = f"{primary} is absent"
            if not self.absent(backup, at):
                primary, why = backup, Why.ABSENCE
            else:
                primary, why, note = fallback, Why.FALLBACK, f"{primary} and {backup} are absent"
            backup = next((n for n in others if n != primary and not self.absent(n, at)), primary)
        elif self.absent(backup, at) or backup == primary:
            backup = next((n for n in others if n != primary and not self.absent(n, at)), fallback)
        return OnCall(primary=primary, backup=backup, both=both, why=why, turn=turn, note=note)

    def absent(self, person: str, at: datetime) -> bool:
        """Whether `person` cannot be called at `at`."""
        return any(start <= at < end for start, end in self.absences.get(person, ()))

    # ---- holidays
    def handed_over(self, year: int) -> dict[date, str]:
        """Local holiday → the person who has it. Only holidays that were handed over to another person are listed."""
        if year not in self._handed:
            self._handed[year] = dict(self._hand_over(year)) if self.schedule.holidays.balance else {}
        return self._handed[year]

    def _hand_over(self, year: int) -> Iterator[tuple[date, str]]:
        """Distribute the holidays of a year. Yields each holiday that is handed over to another person, with that
        person.

        Everybody gets the same number of holidays; what cannot be divided equally gives some people one more. A holiday
        stays with the person whose shift it is, as long as this person has not reached that number. Overrides and
        agreed swaps are kept. The holidays are distributed in ascending order, so that a late swap changes only later
        ones.
        """
        people = self.schedule.people()
        days = holidays_of(self.schedule.holidays, year)
        room = dict.fromkeys(people, len(days) // len(people))
        extra = len(days) % len(people)
        for day in days:
            noon = moment(datetime.combine(day, NOON), self.zone)
            number = self.shift_at(noon)
            owner, swapped = self.holder(number)
            covered = [c.person for c in self._made if c.role == PRIMARY and c.start <= noon < c.end]
            if covered or swapped:
                chosen = covered[-1] if covered else owner
            elif not self.absent(owner, noon) and (room.get(owner, 0) > 0 or (room.get(owner) == 0 and extra)):
                chosen = owner
            else:
                chosen = self._with_most_room(people, room, extra, number, noon) or owner
                if chosen != owner:
                    yield day, chosen
            if chosen in room:
                if room[chosen] <= 0:
                    extra -= 1
                room[chosen] -= 1

    def _with_most_room(
        self, people: Sequence[str], room: Mapping[str, int], extra: int, number: int, at: datetime
    ) -> str | None:
        """The person who takes over a holiday: the one who can still take the most holidays. If several can, it is the
        one whose turn comes next.
        """
        order = [self.pair(number + ahead).primary for ahead in range(1, len(self.schedule.rotation) + 1)]
        able = [p for p in people if room[p] > 0 or (room[p] == 0 and extra > 0)]
        present = [p for p in able if not self.absent(p, at)] or able
        return max(present, key=lambda p: (room[p], -order.index(p) if p in order else 0), default=None)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, without its end, in which the same people are on call for the same reason."""

    start: datetime
    end: datetime
    on_call: OnCall


def spans(roster: Roster, start: datetime, end: datetime) -> list[Span]:
    """The spans from `start` to `end` (UTC), without a gap. `Roster.at` is asked at every moment at which its answer
    can change.
    """
    edges = sorted({start, *_edges(roster, start, end)})
    result: list[Span] = []
    for first, last in zip(edges, [*edges[1:], end], strict=True):
        now = roster.at(first)
        if result and result[-1].on_call == now and not _is_handoff(roster, first):
            result[-1] = Span(result[-1].start, last, now)
        else:
            result.append(Span(first, last, now))
    return result


def whole_spans(roster: Roster, start: datetime, end: datetime) -> list[Span]:
    """The spans that overlap the time from `start` until `end`, each in its full length. So a later call finds the same
    spans.
    """
    first = roster.starts(roster.shift_at(start))
    last = roster.shift_at(end)
    last_end = end if roster.starts(last) == end else roster.starts(last + 1)
    return [span for span in spans(roster, first, last_end) if span.end > start and span.start < end]


def _is_handoff(roster: Roster, at: datetime) -> bool:
    return roster.starts(roster.shift_at(at)) == at


def _edges(roster: Roster, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every moment between `start` and `end` at which the people on call can change."""
    number = roster.shift_at(start) + 1
    while (at := roster.starts(number)) < end:
        if at > start:
            yield at
        number += 1
    edges = [edge for cover in roster._made for edge in (cover.start, cover.end)]
    edges += [edge for known in roster.absences.values() for interval in known for edge in interval]
    first, last = reading(start, roster.zone).date(), reading(end, roster.zone).date()
    for year in range(first.year, last.year + 1):
        days = set(roster.handed_over(year))
        for period in roster.schedule.two_on_call:
            leap = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
            days |= {day for day in leap if period.holds(day) != period.holds(day - timedelta(days=1))}
            days |= {day - timedelta(days=1) for day in days}
        for day in days:
            edges += [midnight(day, roster.zone), midnight(day + timedelta(days=1), roster.zone)]
    for edge in edges:
        if start < edge < end:
            yield edge.astimezone(UTC)
