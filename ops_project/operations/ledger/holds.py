"""Stores holds: which tables people have stopped, why, and until when. A hold that has ended stays in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from ops_project.operations.ledger.access import Access, from_seconds, maybe_moment, maybe_seconds, to_seconds
from ops_project.operations.ledger.people_schema import holds


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: the tables downstream of `subject` are not built. The subject is a domain, or an asset written as
    schema/table.
    """

    number: int
    subject: str
    why: str
    made_by: str
    made_at: datetime
    until: datetime | None
    incident: int | None
    released_at: datetime | None
    released_by: str


def _hold(row: Any) -> Hold:
    return Hold(
        number=row.number,
        subject=row.subject,
        why=row.why,
        made_by=row.made_by,
        made_at=from_seconds(row.made_at),
        until=maybe_moment(row.until),
        incident=row.incident,
        released_at=maybe_moment(row.released_at),
        released_by=row.released_by,
    )


class HoldTable(Access):
    """Stores, releases and lists holds."""

    def hold(
        self, subject: str, *, why: str, by: str, now: datetime, until: datetime | None, incident: int | None
    ) -> int:
        """Store a hold and return its number."""
        row = {
            "subject": subject,
            "why": why,
            "made_by": by,
            "made_at": to_seconds(now),
            "until": maybe_seconds(until),
            "incident": incident,
            "released_by": "",
        }
        with self.write() as connection:
            key = connection.execute(insert(holds), row).inserted_primary_key
        return int(key[0]) if key else 0

    def release_hold(self, subject: str, by: str, now: datetime) -> list[Hold]:
        """End every hold of `subject`, and return them."""
        with self.write() as connection:
            rows = connection.execute(
                select(holds).where(holds.c.subject == subject, holds.c.released_at.is_(None))
            ).all()
            connection.execute(
                holds.update()
                .where(holds.c.subject == subject, holds.c.released_at.is_(None))
                .values(released_at=to_seconds(now), released_by=by)
            )
        return [_hold(row) for row in rows]

    def holds(self, every: bool = False) -> list[Hold]:
        """The holds that apply; with `every`, also those that have ended. The oldest comes first."""
        statement = select(holds).order_by(holds.c.number)
        if not every:
            statement = statement.where(holds.c.released_at.is_(None))
        with self.read() as connection:
            return [_hold(row) for row in connection.execute(statement)]

    def holds_past(self, now: datetime) -> list[Hold]:
        """The holds that have passed their limit, and about which nobody has been told."""

        def ask() -> Sequence[Hold]:
            untold = (holds.c.released_at.is_(None), holds.c.told_at.is_(None), holds.c.until.is_not(None))
            with self.read() as connection:
                return [_hold(row) for row in connection.execute(select(holds).where(*untold))]

        return [hold for hold in self.answers.ask("untold holds", ask) if hold.until is not None and hold.until <= now]
