"""Signals and cursors: what was observed, once each, and how far it has been read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ops_project.model.alerting.signal import Signal
from ops_project.operations.ledger.access import Access, from_seconds, insert_new, to_seconds, upsert
from ops_project.operations.ledger.newest import Newest
from ops_project.operations.ledger.schema import cursors, documents, signals
from ops_project.operations.ledger.text import clean, storable

# Bound parameters of one statement; SQLite's limit is 32,766.
CHUNK = 5000


def _row(signal: Signal) -> dict[str, Any]:
    return {
        "id": signal.id,
        "kind": signal.kind,
        "state": signal.state,
        "fingerprint": signal.fingerprint,
        "value": signal.value,
        "total": signal.total,
        "event_at": to_seconds(signal.event_at),
        "observed_at": to_seconds(signal.observed_at),
        "domain": signal.domain,
        "pipeline": signal.pipeline,
        "asset": signal.asset,
        "partition": signal.partition,
        "check_name": signal.check,
        "owners": json.dumps(signal.owners) if signal.owners else "[]",
        "run_id": signal.run_id,
        "batch_id": signal.batch_id,
        "failure_class": signal.failure_class,
        "evidence_ref": signal.evidence_ref,
        "message": signal.message,
        "labels": json.dumps(dict(signal.labels)) if signal.labels else "{}",
        "assets": json.dumps(signal.assets) if signal.assets else "[]",
        "occurrence": signal.occurrence,
    }


COLUMNS = [column for column in signals.columns if column.name not in ("id", "fingerprint")]


def signal_of(row: Any) -> Signal:
    (
        seq,
        kind,
        state,
        value,
        total,
        event_at,
        observed_at,
        domain,
        pipeline,
        asset,
        partition,
        check,
        owners,
        run_id,
        batch_id,
        failure_class,
        evidence_ref,
        message,
        labels,
        assets,
        occurrence,
    ) = row
    return Signal(
        kind,
        state,
        from_seconds(event_at),
        from_seconds(observed_at),
        occurrence,
        value,
        total,
        domain,
        pipeline,
        asset,
        partition,
        check,
        tuple(json.loads(owners)) if owners != "[]" else (),
        run_id,
        batch_id,
        failure_class,
        evidence_ref,
        message,
        json.loads(labels) if labels != "{}" else {},
        tuple(json.loads(assets)) if assets != "[]" else (),
        seq,
    )


def new_newest() -> Newest:
    """An empty one, for a ledger that opens."""
    return Newest(COLUMNS, signal_of)


class SignalTable(Access):
    """Appending and reading signals."""

    newest: Newest

    def append(
        self, observed: Sequence[Signal], progress: Mapping[str, str] | None = None, now: datetime | None = None
    ) -> int:
        """Store the signals that are new, and the cursors they came from, in one transaction. Returns how many are
        new."""
        if not observed and not progress:
            return 0
        # A cursor alone that a power cut takes back is read from again, and what was stored is not stored twice.
        with self.write(durable=bool(observed)) as connection:
            before = connection.execute(select(func.max(signals.c.seq))).scalar() or 0
            for start in range(0, len(observed), CHUNK):
                rows = [_row(storable(signal)) for signal in observed[start : start + CHUNK]]
                connection.execute(insert_new(connection, signals), rows)
            new = 0
            if observed:
                new = connection.execute(
                    select(func.count()).where(signals.c.seq > before).select_from(signals)
                ).scalar_one()
            moment = to_seconds(now) if now else max((to_seconds(s.observed_at) for s in observed), default=0.0)
            set_cursors(connection, progress or {}, moment)
        return new

    def signals_after(self, seq: int, limit: int) -> list[tuple[int, Signal]]:
        """(sequence number, signal) in the order in which they were stored."""
        statement = select(*COLUMNS).where(signals.c.seq > seq).order_by(signals.c.seq).limit(limit)
        with self.read() as connection:
            return [(row[0], signal_of(row)) for row in connection.execute(statement)]

    def signals_since(
        self, since: datetime, kinds: Iterable[str] | None = None, up_to: int | None = None
    ) -> list[tuple[int, Signal]]:
        """Signals with event_at after `since`, oldest first."""
        statement = select(*COLUMNS).where(signals.c.event_at > to_seconds(since))
        if kinds is not None:
            statement = statement.where(signals.c.kind.in_(list(kinds)))
        if up_to is not None:
            statement = statement.where(signals.c.seq <= up_to)
        with self.read() as connection:
            return [(row[0], signal_of(row)) for row in connection.execute(statement.order_by(signals.c.seq))]

    def latest(self, kind: str) -> dict[str, Signal]:
        """The newest signal of each fingerprint of a kind."""
        with self.read() as connection:
            return self.newest.latest(connection, kind)

    def last_ok(self, kind: str) -> dict[str, datetime]:
        """Asset, or pipeline of a kind without one → its last event that was ok, also where it has failed since."""
        with self.read() as connection:
            return {subject: from_seconds(at) for subject, at in self.newest.last_ok(connection, kind).items()}

    def first_seen(self, kind: str) -> dict[str, datetime]:
        """Pipeline → the first event of a kind."""
        with self.read() as connection:
            return {p: from_seconds(at) for p, at in self.newest.first_seen(connection, kind).items()}

    def cursor(self, name: str) -> str | None:
        with self.read() as connection:
            return connection.execute(select(cursors.c.value).where(cursors.c.name == name)).scalar()

    def cursors(self) -> dict[str, str]:
        with self.read() as connection:
            return dict(connection.execute(select(cursors.c.name, cursors.c.value)).all())

    def set_cursor(self, name: str, value: str, now: datetime) -> None:
        """Not awaited on the disk: a power cut may take the last one back."""
        self.append([], {name: value}, now)

    def document(self, name: str) -> Any:
        """A larger value by name, or None."""
        with self.read() as connection:
            return connection.execute(select(documents.c.body).where(documents.c.name == name)).scalar()

    def document_digest(self, name: str) -> str | None:
        with self.read() as connection:
            return connection.execute(select(documents.c.digest).where(documents.c.name == name)).scalar()

    def put_document(self, name: str, body: Any, digest: str, now: datetime) -> None:
        row = {"name": name, "digest": digest, "body": body, "updated_at": to_seconds(now)}
        with self.write() as connection:
            connection.execute(upsert(connection, documents, ["name"]), row)


def set_cursors(connection: Connection, progress: Mapping[str, str], moment: float) -> None:
    """Within a transaction of the caller's."""
    if progress:
        rows = [{"name": name, "value": clean(value), "updated_at": moment} for name, value in progress.items()]
        connection.execute(upsert(connection, cursors, ["name"]), rows)
