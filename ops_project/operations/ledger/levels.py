"""Stores the level of each series, as it was after the last decision, and the alerts that people have closed by hand.

A level is stored as the numbers of the signals that define it. Old signals are removed, but never these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ops_project.model.alerting.resolution import Resolution
from ops_project.operations.alerting.decide.levels import UNKNOWN, Level, fold
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State
from ops_project.operations.ledger.access import Access, from_seconds, maybe_moment, maybe_seconds, to_seconds, upsert
from ops_project.operations.ledger.schema import dismissals, levels, resolutions, signals
from ops_project.operations.ledger.signal_rows import COLUMNS, signal_of
from ops_project.operations.ledger.text import cut_name

# The highest number of bound parameters in one statement.
CHUNK = 5000
# PostgreSQL refuses a longer name.
LONGEST_NAME = 160


def resolution_of(row: Any) -> Resolution:
    return Resolution(row.alert, row.given_by, row.why, from_seconds(row.at), maybe_moment(row.taken_at))


class LevelTable(Access):
    """Reads levels into a state, and stores resolutions by people."""

    def load_levels(self, state: State, config: AlertConfig, fingerprints: Collection[str] | None = None) -> None:
        """Put the levels of these series into `state`, except those that it already has. `fingerprints`: None means
        every series.
        """
        wanted = None if fingerprints is None else sorted(set(fingerprints) - state.levels.keys())
        with self.read() as connection:
            for names in [None] if wanted is None else _chunks(wanted):
                _load(connection, state, config, names)

    def resolve(self, alert: int, by: str, why: str, now: datetime) -> None:
        """Store that a person has closed an alert. The next cycle applies it."""
        who = cut_name(by, LONGEST_NAME)
        row = {"alert": alert, "given_by": who, "why": why, "at": to_seconds(now), "taken_at": None}
        with self.write() as connection:
            connection.execute(upsert(connection, resolutions, ["alert"]), row)

    def resolutions(self) -> dict[int, Resolution]:
        """Number of an alert → its resolution by a person."""
        with self.read() as connection:
            return {row.alert: resolution_of(row) for row in connection.execute(select(resolutions))}


def _chunks(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]


def _load(connection: Connection, state: State, config: AlertConfig, names: Sequence[str] | None) -> None:
    statement = select(*COLUMNS).select_from(levels).join(signals, signals.c.seq == levels.c.seq)
    if names is not None:
        statement = statement.where(levels.c.fingerprint.in_(names))
    found: dict[str, Level] = {}
    for row in connection.execute(statement.order_by(signals.c.event_at, signals.c.seq)):
        signal = signal_of(row)
        fingerprint = signal.fingerprint
        metric = config.metrics.get(signal.kind)
        found[fingerprint] = fold(found.get(fingerprint, UNKNOWN), signal, metric.type if metric else "state")
    for fingerprint, level in found.items():
        state.levels.setdefault(fingerprint, level)


def read_words(connection: Connection) -> tuple[dict[int, Resolution], dict[str, datetime]]:
    """What people have closed by hand, as two mappings. The first: number of an alert → its resolution, if no cycle has
    applied it yet. The second: series → the moment up to which it counts as over.
    """
    untaken = select(resolutions).where(resolutions.c.taken_at.is_(None))
    waiting = {row.alert: resolution_of(row) for row in connection.execute(untaken)}
    return waiting, {row.fingerprint: from_seconds(row.at) for row in connection.execute(select(dismissals))}


def record_levels(connection: Connection, decision: Decision) -> None:
    """Store the levels that have changed, within the transaction of the caller."""
    state = decision.state
    rows = [
        {"fingerprint": fingerprint, "seq": signal.seq}
        for fingerprint in sorted(decision.levels_changed)
        for signal in state.levels[fingerprint].signals
        if signal.seq
    ]
    for names in _chunks(sorted(decision.levels_changed)):
        connection.execute(delete(levels).where(levels.c.fingerprint.in_(names)))
    if rows:
        connection.execute(insert(levels), rows)
    if decision.dismissed_changed:
        connection.execute(delete(dismissals).where(dismissals.c.fingerprint.in_(decision.dismissed_changed)))
        over: list[Mapping[str, Any]] = [
            {"fingerprint": name, "at": to_seconds(state.dismissed[name])}
            for name in sorted(decision.dismissed_changed)
            if name in state.dismissed
        ]
        if over:
            connection.execute(insert(dismissals), over)
    for number in decision.resolutions_changed:
        given = state.resolutions[number]
        connection.execute(
            resolutions.update()
            .where(resolutions.c.alert == number, resolutions.c.at == to_seconds(given.at))
            .values(taken_at=maybe_seconds(given.taken_at))
        )
