"""Stores signals. A signal is one observation, and is stored once. Cursors, which say how far a source has been read,
are stored together with its signals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Select, TextClause, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from ops_project.model.alerting.signal import OK, Signal
from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.cursors import set_cursors
from ops_project.operations.ledger.newest import Newest, last_ok_of
from ops_project.operations.ledger.schema import signals
from ops_project.operations.ledger.signal_rows import COLUMNS, insert, row_of, signal_of
from ops_project.operations.ledger.text import storable
from ops_project.operations.ledger.unusable import LedgerFailed, is_server, shown
from ops_project.process import collector

# The highest number of rows or bound parameters in one statement. SQLite's own limit is 32,766 parameters.
CHUNK = 5000


_AFTER = select(*COLUMNS).where(signals.c.seq > bindparam("after")).order_by(signals.c.seq).limit(bindparam("most"))


@cache
def _oldest(count: int) -> TextClause:
    """The times of the oldest events of so many kinds, in one row. Each is looked up in the index: grouped by kind, the
    question would read all rows.
    """
    return text("SELECT " + ", ".join(f"(SELECT min(event_at) FROM signals WHERE kind = :k{n})" for n in range(count)))


def new_newest() -> Newest:
    """An empty memory of the newest signals, for a ledger that is being opened."""
    return Newest(COLUMNS, signal_of)


def _plain(
    connection: Connection, statement: Select[Any], values: Mapping[str, Any] | None = None
) -> Iterator[tuple[Any, ...]]:
    """The rows as the database driver returns them, one by one. These columns need no conversion, and SQLAlchemy's row
    objects took a third of the time. If the driver fails, the error is the one that SQLAlchemy would raise.
    """
    cursor = connection.execute(statement, values).cursor
    driver: Any = connection.dialect.loaded_dbapi
    try:
        yield from cast(Iterable[tuple[Any, ...]], cursor)
    except driver.Error as error:
        url = connection.engine.url
        raise LedgerFailed(shown(url), DBAPIError(str(statement), values, error), is_server(url)) from error


class SignalTable(Access):
    """Appends and reads signals."""

    newest: Newest

    def append(
        self, observed: Sequence[Signal], progress: Mapping[str, str] | None = None, now: datetime | None = None
    ) -> int:
        """Store the signals that are new, and in the same transaction the cursors of their source. Returns how many
        signals are new.
        """
        if not observed and not progress:
            return 0
        # If only cursors are written, a power cut may undo the write. Then signals are read again, but no signal is
        # stored twice.
        with collector.held_up(), self.write(durable=bool(observed), marked=bool(observed)) as connection:
            new = 0
            for start in range(0, len(observed), CHUNK):
                new += insert(connection, [row_of(storable(signal)) for signal in observed[start : start + CHUNK]])
            if progress:
                moment = to_seconds(now) if now else max((to_seconds(s.observed_at) for s in observed), default=0.0)
                set_cursors(connection, progress, moment)
        return new

    def signals_after(self, seq: int, limit: int) -> list[tuple[int, Signal]]:
        """At most `limit` signals after number `seq`, each with its number, in the order in which they were stored."""
        with self.read() as connection:
            rows = _plain(connection, _AFTER, {"after": seq, "most": limit})
            return [(row[0], signal_of(row)) for row in rows]

    def signals_since(
        self, since: datetime, kinds: Iterable[str] | None = None, up_to: int | None = None
    ) -> list[tuple[int, Signal]]:
        """The signals with event_at after `since`, each with its number, the oldest first. `kinds`: only these kinds.
        `up_to`: only numbers up to this one.
        """
        statement = select(*COLUMNS).where(signals.c.event_at > to_seconds(since))
        if kinds is not None:
            statement = statement.where(signals.c.kind.in_(list(kinds)))
        if up_to is not None:
            statement = statement.where(signals.c.seq <= up_to)
        with self.read() as connection:
            return [(row[0], signal_of(row)) for row in _plain(connection, statement.order_by(signals.c.seq))]

    def signals_of(self, asset: str, kinds: Iterable[str], since: datetime, limit: int = 2_000) -> list[Signal]:
        """The newest signals about one asset with event_at after `since`: at most `limit`, the oldest first."""
        statement = select(*COLUMNS).where(
            signals.c.kind.in_(list(kinds)), signals.c.event_at > to_seconds(since), signals.c.asset == asset
        )
        with self.read() as connection:
            newest = statement.order_by(signals.c.event_at.desc()).limit(limit)
            return [signal_of(row) for row in _plain(connection, newest)][::-1]

    def first_event(self, kind: str, since: datetime | None = None) -> datetime | None:
        """The time of the oldest stored event of a kind, from `since` on if it is given; None if there is none."""
        oldest = select(func.min(signals.c.event_at)).where(signals.c.kind == kind)
        if since is not None:
            oldest = oldest.where(signals.c.event_at >= to_seconds(since))
        with self.read() as connection:
            at = connection.execute(oldest).scalar()
        return None if at is None else from_seconds(at)

    def first_events(self, kinds: Sequence[str]) -> dict[str, datetime]:
        """Kind → the time of its oldest stored event. A kind without events is left out."""
        if not kinds:
            return {}
        with self.read() as connection:
            values = {f"k{n}": kind for n, kind in enumerate(kinds)}
            found = cast(Sequence[float | None], connection.execute(_oldest(len(kinds)), values).one())
        return {kind: from_seconds(at) for kind, at in zip(kinds, found, strict=True) if at is not None}

    def latest(self, kind: str) -> dict[str, Signal]:
        """Fingerprint → the newest signal of this series, for all series of a kind."""

        def ask() -> dict[str, Signal]:
            with self.read() as connection:
                return self.newest.latest(connection, kind)

        return dict(self.answers.ask(("latest", kind), ask))

    def last_ok(self, kind: str, until: datetime | None = None) -> dict[str, datetime]:
        """The time of the last ok event of each subject, even if it has failed since. The subject is the asset, or the
        pipeline if the kind has no assets. `until`: later events are left out, because a rehearsal with a later clock
        wrote them.
        """

        def ask() -> dict[str, datetime]:
            with self.read() as connection:
                return {subject: from_seconds(at) for subject, at in self.newest.last_ok(connection, kind).items()}

        found = dict(self.answers.ask(("last_ok", kind), ask))
        if until is None or all(at <= until for at in found.values()):
            return found
        with self.read() as connection:
            bounded = last_ok_of(connection, kind, to_seconds(until))
        return {subject: from_seconds(at) for subject, at in bounded.items()}

    def ok_before(self, kind: str, asset: str, before: datetime, not_run: str) -> tuple[datetime, str] | None:
        """The last ok event of an asset before a moment, as (time, run); None if there is none. Events of the run
        `not_run` do not count, if it is given.
        """
        statement = (
            select(signals.c.event_at, signals.c.run_id)
            .where(
                signals.c.kind == kind,
                signals.c.asset == asset,
                signals.c.state == OK,
                signals.c.event_at < to_seconds(before),
            )
            .order_by(signals.c.event_at.desc(), signals.c.seq.desc())
            .limit(1)
        )
        if not_run:
            statement = statement.where(signals.c.run_id != not_run)
        with self.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else (from_seconds(row.event_at), row.run_id)

    def run_of_failure(self, kind: str, asset: str, at: datetime) -> str:
        """The run that reported a failure of an asset at exactly this moment; empty if no run reported one."""
        statement = select(signals.c.run_id).where(
            signals.c.kind == kind,
            signals.c.event_at == to_seconds(at),
            signals.c.asset == asset,
            signals.c.state != OK,
            signals.c.run_id != "",
        )
        with self.read() as connection:
            return connection.execute(statement.order_by(signals.c.seq).limit(1)).scalar() or ""

    def first_seen(self, kind: str) -> dict[str, datetime]:
        """Pipeline → the time of its first event of a kind."""

        def ask() -> dict[str, datetime]:
            with self.read() as connection:
                return {p: from_seconds(at) for p, at in self.newest.first_seen(connection, kind).items()}

        return dict(self.answers.ask(("first_seen", kind), ask))

    def began(self, firing: Sequence[Signal]) -> dict[str, tuple[datetime, str]]:
        """For series that fire: fingerprint → (the time of the first event since the series was last ok, the run of
        this event).

        The run is empty if the event belongs to no run.
        """
        found: dict[str, tuple[datetime, str]] = {}
        with self.read() as connection:
            for start in range(0, len(firing), 500):
                names = [signal.fingerprint for signal in firing[start : start + 500]]
                inside = signals.c.fingerprint.in_(names)
                ok = (
                    select(signals.c.fingerprint, func.max(signals.c.seq).label("seq"))
                    .where(inside, signals.c.state == "ok")
                    .group_by(signals.c.fingerprint)
                    .subquery()
                )
                since = (
                    select(func.min(signals.c.event_at).label("at"), func.min(signals.c.seq).label("seq"))
                    .join(ok, ok.c.fingerprint == signals.c.fingerprint, isouter=True)
                    .where(inside, signals.c.state == "firing", signals.c.seq > func.coalesce(ok.c.seq, 0))
                    .group_by(signals.c.fingerprint)
                    .subquery()
                )
                began = select(signals.c.fingerprint, since.c.at, signals.c.run_id).join(
                    since, since.c.seq == signals.c.seq
                )
                found |= {row.fingerprint: (from_seconds(row.at), row.run_id) for row in connection.execute(began)}
        return found
