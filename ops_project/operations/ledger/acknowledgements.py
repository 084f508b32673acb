"""Acknowledgements say who works on an alert, and since when. People write them, so they are stored separately from the
decisions of the cycle.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ops_project.model.alerting.acknowledgement import Acknowledgement
from ops_project.operations.ledger.access import Access, from_seconds, maybe_moment, to_seconds, upsert
from ops_project.operations.ledger.schema import acknowledgements


def acknowledgement_of(row: Any) -> Acknowledgement:
    return Acknowledgement(row.alert, row.given_by, row.note, from_seconds(row.at), maybe_moment(row.told_at))


class AcknowledgementTable(Access):
    """Stores and reads acknowledgements."""

    def acknowledge(self, alert: int, by: str, note: str, now: datetime) -> None:
        """Record that `by` works on an alert. This replaces an earlier acknowledgement of the same alert."""
        row = {"alert": alert, "given_by": by, "note": note, "at": to_seconds(now), "told_at": None}
        with self.write() as connection:
            connection.execute(upsert(connection, acknowledgements, ["alert"]), row)

    def acknowledgements(self) -> dict[int, Acknowledgement]:
        """Number of the alert → its acknowledgement."""
        with self.read() as connection:
            return {row.alert: acknowledgement_of(row) for row in connection.execute(select(acknowledgements))}
