"""Finds the batches that the checks of a feed are about: those that were loaded recently. If none is recent, it is the
newest batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation


@dataclass(frozen=True)
class Batch:
    """One row of ops.batches."""

    batch_id: str
    file_name: str
    business_date: date | None
    load_seq: int
    status: str
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    rows_filtered: int
    rows_collapsed: int
    loaded_at: datetime | None = None
    """The time of the load. All batches of a load have the same time."""

    @property
    def accounted(self) -> int:
        return self.rows_loaded + self.rows_quarantined + self.rows_filtered + self.rows_collapsed


def recent_batches(situation: Situation, table: TableSpec) -> list[Batch]:
    """The batches that were loaded in the last `recent_hours`. If there are none, only the newest batch."""
    return situation.once(("batches", table.name), lambda: _recent(situation, table))


def _recent(situation: Situation, table: TableSpec) -> list[Batch]:
    since = situation.now_utc - timedelta(hours=situation.parameters.score.recent_hours)
    rows = situation.rows(
        """
        select
            batch_id, file_name, business_date, load_seq, status,
            coalesce(rows_in, 0), coalesce(rows_loaded, 0), coalesce(rows_quarantined, 0),
            coalesce(rows_filtered, 0), coalesce(rows_collapsed, 0), loaded_at
        from ops.batches
        where feed = ? and (loaded_at >= ? or load_seq = (select max(load_seq) from ops.batches where feed = ?))
        order by load_seq
        """,
        [table.feed, since, table.feed],
    )
    return [Batch(*row) for row in rows]
