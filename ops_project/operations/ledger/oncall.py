"""Stores the overrides and swaps that people have made. Nothing is deleted: an override that was taken back stays, with
the time of its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from ops_project.operations.ledger.access import Access, from_seconds, maybe_moment, to_seconds
from ops_project.operations.ledger.people_schema import oncall_overrides, oncall_swaps
from ops_project.operations.oncall.roster import Cover, Swap


@dataclass(frozen=True, slots=True)
class AskedSwap:
    """A swap in its present state: asked, agreed or ended."""

    number: int
    schedule: str
    shift: datetime
    other: datetime
    asked_by: str
    agreed_by: str
    """The person who is asked. The swap applies only after this person has agreed."""
    why: str
    asked_at: datetime
    agreed_at: datetime | None
    ended_at: datetime | None
    ended_by: str

    @property
    def state(self) -> str:
        """The state of the swap: asked, agreed or ended."""
        return "ended" if self.ended_at else "agreed" if self.agreed_at else "asked"


def _asked(row: Any) -> AskedSwap:
    return AskedSwap(
        number=row.number,
        schedule=row.schedule,
        shift=from_seconds(row.shift),
        other=from_seconds(row.other),
        asked_by=row.asked_by,
        agreed_by=row.agreed_by,
        why=row.why,
        asked_at=from_seconds(row.asked_at),
        agreed_at=maybe_moment(row.agreed_at),
        ended_at=maybe_moment(row.ended_at),
        ended_by=row.ended_by,
    )


class OnCallTable(Access):
    """Stores overrides and swaps, and records agreements and ends."""

    def covers(self, schedule: str) -> list[Cover]:
        """The overrides that have not been taken back, the oldest first."""
        statement = (
            select(oncall_overrides)
            .where(oncall_overrides.c.schedule == schedule, oncall_overrides.c.ended_at.is_(None))
            .order_by(oncall_overrides.c.number)
        )
        with self.read() as connection:
            return [
                Cover(
                    number=row.number,
                    person=row.person,
                    role=row.role,
                    start=from_seconds(row.starts_at),
                    end=from_seconds(row.ends_at),
                    why=row.why,
                )
                for row in connection.execute(statement)
            ]

    def override(self, schedule: str, cover: Cover, by: str, now: datetime) -> int:
        """Store an override and return its number. `cover.number` is ignored."""
        row = {
            "schedule": schedule,
            "person": cover.person,
            "role": cover.role,
            "starts_at": to_seconds(cover.start),
            "ends_at": to_seconds(cover.end),
            "why": cover.why,
            "made_by": by,
            "made_at": to_seconds(now),
            "ended_by": "",
        }
        with self.write() as connection:
            key = connection.execute(insert(oncall_overrides), row).inserted_primary_key
        return int(key[0]) if key else 0

    def end_override(self, number: int, by: str, now: datetime) -> bool:
        """Take an override back. Returns False if no such override applies."""
        with self.write() as connection:
            result = connection.execute(
                oncall_overrides.update()
                .where(oncall_overrides.c.number == number, oncall_overrides.c.ended_at.is_(None))
                .values(ended_at=to_seconds(now), ended_by=by)
            )
        return result.rowcount == 1

    def swaps(self, schedule: str | None = None) -> list[AskedSwap]:
        """All swaps, in the order in which they were agreed. The swaps that have not been agreed come last."""
        statement = select(oncall_swaps).order_by(
            oncall_swaps.c.agreed_at.is_(None), oncall_swaps.c.agreed_at, oncall_swaps.c.number
        )
        if schedule is not None:
            statement = statement.where(oncall_swaps.c.schedule == schedule)
        with self.read() as connection:
            return [_asked(row) for row in connection.execute(statement)]

    def ask_swap(self, asked: AskedSwap) -> int:
        """Store a request for a swap and return its number. `asked.number` is ignored."""
        row = {
            "schedule": asked.schedule,
            "shift": to_seconds(asked.shift),
            "other": to_seconds(asked.other),
            "asked_by": asked.asked_by,
            "agreed_by": asked.agreed_by,
            "why": asked.why,
            "asked_at": to_seconds(asked.asked_at),
            "ended_by": "",
        }
        with self.write() as connection:
            key = connection.execute(insert(oncall_swaps), row).inserted_primary_key
        return int(key[0]) if key else 0

    def agree_swap(self, number: int, now: datetime) -> bool:
        """Record that the other person agrees. Returns False if the request has ended, or has already been agreed."""
        return self._change_swap(number, oncall_swaps.c.agreed_at.is_(None), agreed_at=to_seconds(now))

    def end_swap(self, number: int, by: str, now: datetime) -> bool:
        """End a swap, which one of the two people has withdrawn, declined or taken back. Returns False if it has
        already ended.
        """
        return self._change_swap(number, ended_at=to_seconds(now), ended_by=by)

    def _change_swap(self, number: int, *also: Any, **values: Any) -> bool:
        with self.write() as connection:
            result = connection.execute(
                oncall_swaps.update()
                .where(oncall_swaps.c.number == number, oncall_swaps.c.ended_at.is_(None), *also)
                .values(**values)
            )
        return result.rowcount == 1


def agreed(swaps: Sequence[AskedSwap]) -> list[Swap]:
    """The swaps that apply, in the order in which they were agreed."""
    return [Swap(s.number, s.shift, s.other, s.asked_by, s.agreed_by) for s in swaps if s.state == "agreed"]
