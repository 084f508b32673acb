"""Stores silences: who asked for one, why, and until when. Nothing is deleted. A silence that is ended early gets an
earlier end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.silence import Silence
from ops_project.operations.ledger.access import Access, from_seconds, maybe_moment, to_seconds
from ops_project.operations.ledger.schema import silences


def silence_of(row: Any) -> Silence:
    return Silence(
        number=row.number,
        matchers=tuple(Matcher.parse(text) for text in row.matchers),
        starts_at=from_seconds(row.starts_at),
        ends_at=from_seconds(row.ends_at),
        owner=row.owner,
        reason=row.reason,
        created_at=from_seconds(row.created_at),
        notice_sent_at=maybe_moment(row.notice_sent_at),
    )


class SilenceTable(Access):
    """Adds, lists and ends silences."""

    def add_silence(
        self,
        matchers: Sequence[Matcher],
        *,
        starts_at: datetime,
        ends_at: datetime,
        owner: str,
        reason: str,
        now: datetime,
    ) -> int:
        """Store a silence and return its number."""
        row = {
            "matchers": [str(matcher) for matcher in matchers],
            "starts_at": to_seconds(starts_at),
            "ends_at": to_seconds(ends_at),
            "owner": owner,
            "reason": reason,
            "created_at": to_seconds(now),
        }
        with self.write() as connection:
            result = connection.execute(insert(silences), row)
        key = result.inserted_primary_key
        assert key is not None, "an insert of one row gives its key"
        return int(key[0])

    def silences(self, now: datetime, expired: bool = False) -> list[Silence]:
        statement = select(silences).order_by(silences.c.number)
        if not expired:
            statement = statement.where(silences.c.ends_at > to_seconds(now))
        with self.read() as connection:
            return [silence_of(row) for row in connection.execute(statement)]

    def expire_silence(self, number: int, now: datetime) -> bool:
        """End a silence now. Returns False if it does not exist or has already ended."""
        with self.write() as connection:
            result = connection.execute(
                silences.update()
                .where(silences.c.number == number, silences.c.ends_at > to_seconds(now))
                .values(ends_at=to_seconds(now))
            )
        return result.rowcount == 1
