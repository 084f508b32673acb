"""Stores the column lineage of each version of the code that has run in this home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from ops_project.column_lineage import ColumnLineage
from ops_project.operations.ledger.access import Access, from_seconds, insert_new, to_seconds
from ops_project.operations.ledger.schema import column_lineage

KEEP = 60


@dataclass(frozen=True, slots=True)
class LineageVersion:
    """One version of the lineage: its name, the commit with which it first ran, and when it first and last ran."""

    version: str
    commit: str
    first_at: datetime
    last_at: datetime


class ColumnLineageTable(Access):
    """Stores and reads the column lineage of each version of the code."""

    def keep_columns(self, lineage: ColumnLineage, commit: str, now: datetime) -> None:
        """Record that this version of the lineage runs now. Only the `KEEP` versions that ran last are stored."""
        table = column_lineage
        with self.read() as connection:
            newest = connection.execute(select(table.c.version).order_by(table.c.last_at.desc()).limit(1)).scalar()
        if newest == lineage.version:
            return
        with self.write() as connection:
            at = to_seconds(now)
            added = {"version": lineage.version, "commit": commit, "first_at": at, "last_at": at}
            connection.execute(insert_new(connection, table), {**added, "body": lineage.dump()})
            connection.execute(update(table).where(table.c.version == lineage.version).values(last_at=at))
            old = select(table.c.version).order_by(table.c.last_at.desc()).offset(KEEP)
            gone: list[str] = list(connection.execute(old).scalars())
            if gone:
                connection.execute(delete(table).where(table.c.version.in_(gone)))

    def columns(self, version: str = "") -> ColumnLineage | None:
        """The lineage of a version, by default of the one that ran last. None if it is not stored."""
        table = column_lineage
        wanted = select(table.c.body).order_by(table.c.last_at.desc()).limit(1)
        if version:
            wanted = wanted.where(table.c.version == version)
        with self.read() as connection:
            body = connection.execute(wanted).scalar()
        return None if body is None else ColumnLineage.load(body)

    def column_versions(self) -> list[LineageVersion]:
        """Every stored version. The one that ran last comes first."""
        table = column_lineage
        wanted = select(table.c.version, table.c.commit, table.c.first_at, table.c.last_at)
        with self.read() as connection:
            return [
                LineageVersion(row.version, row.commit, from_seconds(row.first_at), from_seconds(row.last_at))
                for row in connection.execute(wanted.order_by(table.c.last_at.desc()))
            ]
