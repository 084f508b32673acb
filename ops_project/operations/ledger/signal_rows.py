"""Converts signals into rows of the ledger and rows into signals. It also holds the statements that store many rows at
once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from ops_project.model.alerting.signal import Signal
from ops_project.operations.ledger.access import from_seconds, to_seconds
from ops_project.operations.ledger.schema import signals

INSERTED = tuple(column for column in signals.columns if column.name != "seq")
# From this many rows on, PostgreSQL gets them with COPY. Row by row, only 4,000 signals a second could be written.
COPY_FROM = 200
# SQLite gets this many rows in one statement. Storing 100,000 rows took 0.95 s of CPU; with one statement for each row,
# it took 1.1 s.
ROWS_AT_ONCE = 100


def row_of(signal: Signal) -> tuple[Any, ...]:
    """The values of the columns INSERTED, in their order."""
    s = signal
    return (
        s.id,
        s.kind,
        s.state,
        s.fingerprint,
        s.value,
        s.total,
        s.event_at.timestamp(),
        _seconds(s.observed_at),
        s.domain,
        s.pipeline,
        s.asset,
        s.partition,
        s.check,
        _names(s.owners) if s.owners else "[]",
        s.run_id,
        s.batch_id,
        s.failure_class,
        s.evidence_ref,
        s.message,
        json.dumps(dict(s.labels)) if s.labels else "{}",
        _names(s.assets) if s.assets else "[]",
        s.occurrence,
    )


@lru_cache(maxsize=4096)
def _names(names: tuple[str, ...]) -> str:
    return json.dumps(names)


@lru_cache(maxsize=4096)
def _named(names: str) -> tuple[str, ...]:
    return tuple(json.loads(names))


def insert(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
    """Store those rows that are new, in their order. Returns their number."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in INSERTED)
    if connection.dialect.name != "postgresql":
        marks = f"({', '.join('?' * len(INSERTED))})"
        statement = f"INSERT OR IGNORE INTO signals ({names}) VALUES "
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        stored = 0
        # SQLAlchemy would prepare each row, which took as long as SQLite itself. So the driver is called directly.
        if whole:
            many = statement + ", ".join([marks] * ROWS_AT_ONCE)
            parts = [tuple(chain(*rows[at : at + ROWS_AT_ONCE])) for at in range(0, whole, ROWS_AT_ONCE)]
            stored += connection.exec_driver_sql(many, parts).rowcount
        if whole < len(rows):
            stored += connection.exec_driver_sql(statement + marks, rows[whole:]).rowcount
        return stored
    if len(rows) < COPY_FROM:
        marks = ", ".join(["%s"] * len(INSERTED))
        statement = f"INSERT INTO signals ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        return sum(connection.exec_driver_sql(statement, row).rowcount for row in rows)
    connection.exec_driver_sql(
        "CREATE TEMP TABLE IF NOT EXISTS signals_in ON COMMIT DELETE ROWS AS "
        f"SELECT 0 AS place, {names} FROM signals LIMIT 0"
    )
    text = "".join(f"{place}\t{_copied(row)}\n" for place, row in enumerate(rows))
    cursor = connection.connection.cursor()
    try:
        cursor.copy_expert(f"COPY signals_in (place, {names}) FROM STDIN", io.StringIO(text))
    finally:
        cursor.close()
    stored = connection.exec_driver_sql(
        f"INSERT INTO signals ({names}) SELECT {names} FROM signals_in ORDER BY place ON CONFLICT DO NOTHING"
    ).rowcount
    connection.exec_driver_sql("DELETE FROM signals_in")
    return stored


def _copied(row: Sequence[Any]) -> str:
    """A row, as the text format of COPY writes it."""
    return "\t".join(
        "\\N"
        if value is None
        else value.translate(_ESCAPED)
        if value.__class__ is str and not value.isalnum()
        else str(value)
        for value in row
    )


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


COLUMNS = [*(column for column in signals.columns if column.name not in ("id", "fingerprint")), signals.c.fingerprint]

_NO_LABELS: Mapping[str, str] = MappingProxyType({})


class _Fields:
    """The fields of a signal, in an object whose fields can still be set. This class must have exactly the same slots
    as Signal.
    """

    __slots__ = Signal.__slots__

    def __init__(self, row: Any) -> None:
        (
            self.seq,
            self.kind,
            self.state,
            self.value,
            self.total,
            event_at,
            observed_at,
            self.domain,
            self.pipeline,
            self.asset,
            self.partition,
            self.check,
            owners,
            self.run_id,
            self.batch_id,
            self.failure_class,
            self.evidence_ref,
            self.message,
            labels,
            assets,
            self.occurrence,
            self._fingerprint,
        ) = row
        self.event_at = _moment(event_at, UTC)
        self.observed_at = _observed(observed_at)
        self.owners = _named(owners) if owners != "[]" else ()
        self.labels = json.loads(labels) if labels != "{}" else _NO_LABELS
        self.assets = _named(assets) if assets != "[]" else ()


def signal_of(row: Any) -> Signal:
    """The signal for a row with the columns COLUMNS.

    The fields are set in an object of the same layout, which is then turned into a signal. Calling the constructor of
    the frozen class took three times as long, because it looks up the name of every field. After a backlog, 100,000
    signals may have to be made.
    """
    fields: Any = _Fields(row)
    fields.__class__ = Signal
    signal: Signal = fields
    return signal


_moment = datetime.fromtimestamp
# Signals that were observed together have the same time.
_observed = lru_cache(maxsize=256)(from_seconds)
_seconds = lru_cache(maxsize=256)(to_seconds)
