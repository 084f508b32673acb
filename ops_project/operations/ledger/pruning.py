"""Removes old rows, a limited number at a time. First readings are thinned out; then all rows are removed when they
reach their age.

Some signals stay, however old they are:

- the newest signal of each series;
- the signals that define a level;
- the first signal of each alert that is open or belongs to an open incident;
- signals about which no cycle has decided yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, cast, delete, exists, func, or_, select

from ops_project.operations.ledger.access import Access, to_seconds
from ops_project.operations.ledger.people_schema import incident_alerts, incidents
from ops_project.operations.ledger.schema import alerts, deliveries, levels, outbox, signals

PIECE = 5000
"""The number of rows that one transaction removes. It is limited, because other writers have to wait for the
transaction.
"""


class PruneTable(Access):
    """Each method does one part of the work and returns how many rows it has removed."""

    def forget_signals(self, kinds: Sequence[str], before: datetime, decided: int) -> int:
        """Remove the signals of these kinds whose events lie before `before`."""
        newer = signals.alias("newer")
        old = (
            select(signals.c.seq)
            .where(signals.c.kind.in_(kinds), signals.c.event_at < to_seconds(before), *_may_go(decided))
            .where(
                exists().where(
                    newer.c.kind == signals.c.kind,
                    newer.c.fingerprint == signals.c.fingerprint,
                    newer.c.seq > signals.c.seq,
                )
            )
            .limit(PIECE)
        )
        return self._remove(old)

    def thin_signals(self, kind: str, since: datetime, until: datetime, span: timedelta, decided: int) -> int:
        """For each series and each span of time between `since` and `until`, keep only the largest and the smallest
        reading.
        """
        place = signals.c.event_at / span.total_seconds()
        slot: ColumnElement[int] = (
            func.floor(place) if self.engine.dialect.name == "postgresql" else cast(place, Integer)
        )
        series = (signals.c.fingerprint, slot)
        largest = (signals.c.value.desc().nulls_last(), signals.c.seq.desc())
        smallest = (signals.c.value.asc().nulls_last(), signals.c.seq.desc())
        placed = (
            select(
                signals.c.seq,
                func.row_number().over(partition_by=series, order_by=largest).label("from_above"),
                func.row_number().over(partition_by=series, order_by=smallest).label("from_below"),
            )
            .where(
                signals.c.kind == kind, signals.c.event_at >= to_seconds(since), signals.c.event_at < to_seconds(until)
            )
            .subquery()
        )
        smaller = select(placed.c.seq).where(placed.c.from_above > 1, placed.c.from_below > 1)
        old = select(signals.c.seq).where(signals.c.seq.in_(smaller), *_may_go(decided)).limit(PIECE)
        return self._remove(old)

    def forget_messages(self, before: datetime) -> int:
        """Remove the messages that were created before `before` and are settled. A message about an alert that is open,
        or belongs to an open incident, stays.
        """
        with self.read() as connection:
            open_now: set[int] = set(connection.execute(select(alerts.c.number).where(_kept())).scalars())
            gone: list[int] = []
            last = 0
            # A page may hold only messages that stay. Then the next page is read.
            while not gone:
                rows = connection.execute(
                    select(outbox.c.id, outbox.c.firing, outbox.c.resolved)
                    .where(outbox.c.state.in_(("delivered", "dead")), outbox.c.created_at < to_seconds(before))
                    .where(outbox.c.id > last)
                    .order_by(outbox.c.id)
                    .limit(PIECE)
                ).all()
                if not rows:
                    return 0
                last = rows[-1].id
                gone = [row.id for row in rows if open_now.isdisjoint((*row.firing, *row.resolved))]
        with self.write(durable=False) as connection:
            connection.execute(delete(deliveries).where(deliveries.c.outbox_id.in_(gone)))
            connection.execute(delete(outbox).where(outbox.c.id.in_(gone)))
        return len(gone)

    def _remove(self, old: object) -> int:
        with self.write(durable=False) as connection:
            return connection.execute(delete(signals).where(signals.c.seq.in_(old))).rowcount  # type: ignore[arg-type]  # a select


def _kept() -> ColumnElement[bool]:
    """A condition that is true for an alert that is open or belongs to an open incident."""
    of_incidents = (
        select(incident_alerts.c.alert)
        .join(incidents, incidents.c.number == incident_alerts.c.incident)
        .where(incidents.c.status != "resolved")
    )
    return or_(alerts.c.active, alerts.c.number.in_(of_incidents))


def _may_go(decided: int) -> tuple[ColumnElement[bool], ...]:
    return (
        signals.c.seq <= decided,
        ~exists().where(levels.c.seq == signals.c.seq),
        # An alert stores only the time of its first signal. So signals of other series with the same time stay too.
        signals.c.event_at.not_in(select(alerts.c.starts_at).where(_kept())),
    )
