"""Stores cursors and documents. A cursor says how far something has been read. A document is a larger value with a
name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ops_project.operations.ledger.access import Access, to_seconds, upsert
from ops_project.operations.ledger.answers import MARK
from ops_project.operations.ledger.schema import cursors, documents
from ops_project.operations.ledger.text import clean

_CURSORS = "SELECT name, value FROM cursors"
_MARK = (
    f"INSERT INTO cursors (name, value, updated_at) VALUES ('{MARK}', %s, 0) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class CursorTable(Access):
    """Reads and sets cursors and documents."""

    def read_cursors(self) -> dict[str, str]:
        """Every cursor, as it is in the database now."""
        with self.read() as connection:
            return {str(name): str(value) for name, value in connection.exec_driver_sql(_CURSORS)}

    def cursor(self, name: str) -> str | None:
        return self.answers.cursors().get(name)

    def cursors(self) -> Mapping[str, str]:
        return self.answers.cursors()

    def set_cursor(self, name: str, value: str, now: datetime) -> None:
        """Set a cursor without waiting for the disk. A power cut may undo the last change."""
        self.set_cursors({name: value}, now)

    def set_cursors(self, progress: Mapping[str, str], now: datetime) -> None:
        """Like `set_cursor`, for several cursors."""
        with self.write(durable=False, marked=False) as connection:
            set_cursors(connection, progress, to_seconds(now))

    def document(self, name: str) -> Any:
        """The document with this name; None if there is none. The caller must not change it."""
        return self.answers.ask(("document", name), lambda: self._document(name, documents.c.body))

    def document_digest(self, name: str) -> str | None:
        found: str | None = self.answers.ask(("digest", name), lambda: self._document(name, documents.c.digest))
        return found

    def _document(self, name: str, column: Any) -> Any:
        with self.read() as connection:
            return connection.execute(select(column).where(documents.c.name == name)).scalar()

    def put_document(self, name: str, body: Any, digest: str, now: datetime) -> None:
        row = {"name": name, "digest": digest, "body": body, "updated_at": to_seconds(now)}
        with self.write() as connection:
            connection.execute(upsert(connection, documents, ["name"]), row)


def set_cursors(connection: Connection, progress: Mapping[str, str], moment: float) -> None:
    """Set cursors within the transaction of the caller."""
    if progress:
        rows = [{"name": name, "value": clean(value), "updated_at": moment} for name, value in progress.items()]
        connection.execute(upsert(connection, cursors, ["name"]), rows)


def mark_written(connection: Connection) -> None:
    """Leave a new mark, within the transaction that writes. Answers that were kept under an earlier mark are no longer
    used.
    """
    statement = _MARK if connection.dialect.name == "postgresql" else _MARK.replace("%s", "?")
    connection.exec_driver_sql(statement, (uuid.uuid4().hex,))
