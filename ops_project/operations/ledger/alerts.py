"""Records the decisions of alerting. Alerts, groups, notification log and outbox are written in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, bindparam, cast, delete, func, insert, or_, select

from ops_project.model.alerting.alert import Alert
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import Decision, Event
from ops_project.operations.ledger import quiet_lines
from ops_project.operations.ledger.access import (
    Access,
    from_seconds,
    maybe_seconds,
    to_seconds,
    upsert,
)
from ops_project.operations.ledger.alert_rows import alert_of, alert_row
from ops_project.operations.ledger.cursors import set_cursors
from ops_project.operations.ledger.kept_state import KeptState, new_mark, read_mark
from ops_project.operations.ledger.leases import check_fence
from ops_project.operations.ledger.levels import record_levels
from ops_project.operations.ledger.queueing import queue
from ops_project.operations.ledger.schema import (
    acknowledgements,
    alert_events,
    alerts,
    groups,
    notification_log,
    outbox,
    silences,
    verdicts,
)


def _asked(statement: Select[Any], status: str | None, severity: str | None, domain: str | None) -> Select[Any]:
    if status in ("open", "firing"):
        # This condition lets the database use its index of active alerts, because there may be many old alerts.
        statement = statement.where(alerts.c.active, alerts.c.status == "firing")
    elif status:
        statement = statement.where(alerts.c.status == status)
    else:
        statement = statement.where(alerts.c.fired_at.is_not(None))
    if severity is not None:
        statement = statement.where(alerts.c.severity == severity)
    if domain is not None:
        statement = statement.where(alerts.c.domain == domain)
    return statement


class AlertTable(Access):
    """Writes decisions, and answers questions about alerts."""

    kept: KeptState | None

    def record(
        self, decision: Decision, cursor: Mapping[str, str], now: datetime, lease: tuple[str, str, int] | None = None
    ) -> int:
        """Write a decision, its messages, and the cursors of its sources in one transaction.

        `lease` (name, holder, fence) is checked within the transaction. Raises LeaseLost if another process has taken
        the lease; then nothing is written. Returns how many messages are new in the outbox.
        """
        state = decision.state
        with self.write() as connection:
            if lease is not None:
                check_fence(connection, *lease)
            rows = [alert_row(state.alerts[n], True) for n in sorted(decision.changed) if n in state.alerts]
            rows += [alert_row(alert, False) for _, alert in sorted(decision.final.items())]
            if rows:
                connection.execute(upsert(connection, alerts, ["number"]), rows)
            if events := quiet_lines.news(connection, decision.events):
                connection.execute(
                    insert(alert_events),
                    [
                        {"alert": e.alert, "at": to_seconds(e.at), "reason": e.reason.value, "detail": e.detail}
                        for e in events
                    ],
                )
            if decision.groups_dropped:
                connection.execute(delete(groups).where(groups.c.key.in_(decision.groups_dropped)))
            kept = [state.groups[key] for key in sorted(decision.groups_changed) if key in state.groups]
            if kept:
                connection.execute(
                    upsert(connection, groups, ["key"]),
                    [
                        {
                            "key": g.key,
                            "route": g.route,
                            "labels": dict(g.labels),
                            "members": sorted(g.members),
                            "created_at": to_seconds(g.created_at),
                            "next_flush": to_seconds(g.next_flush),
                        }
                        for g in kept
                    ],
                )
            self._record_log(connection, decision)
            for number in decision.silences_changed:
                connection.execute(
                    silences.update()
                    .where(silences.c.number == number)
                    .values(notice_sent_at=maybe_seconds(state.silences[number].notice_sent_at))
                )
            for number in decision.acknowledgements_changed:
                given = state.acknowledgements[number]
                connection.execute(
                    acknowledgements.update()
                    .where(acknowledgements.c.alert == number, acknowledgements.c.at == to_seconds(given.at))
                    .values(told_at=maybe_seconds(given.told_at))
                )
            record_levels(connection, decision)
            new = queue(connection, decision.notifications)
            set_cursors(connection, {**cursor, **new_mark()}, to_seconds(now))
            mark = read_mark(connection)
        # Only a lease guarantees that no other process has written since the state was read.
        self.kept = KeptState.of(mark, state) if lease is not None else None
        return new

    @staticmethod
    def _record_log(connection: Connection, decision: Decision) -> None:
        log = decision.state.log
        changed = sorted(decision.log_changed)
        gone = [dict(zip(("g", "c", "r"), key, strict=True)) for key in changed if key not in log]
        if gone:
            connection.execute(
                delete(notification_log).where(
                    notification_log.c.group_key == bindparam("g"),
                    notification_log.c.channel == bindparam("c"),
                    notification_log.c.recipient == bindparam("r"),
                ),
                gone,
            )
        kept = [
            {
                "group_key": entry.group,
                "channel": entry.channel,
                "recipient": entry.recipient,
                "firing": sorted(entry.firing),
                "resolved": sorted(entry.resolved),
                "at": to_seconds(entry.at),
                "expires_at": to_seconds(entry.expires_at),
                "own_times": {str(number): to_seconds(at) for number, at in sorted(entry.own_times.items())} or None,
            }
            for entry in (log[key] for key in changed if key in log)
        ]
        if kept:
            connection.execute(upsert(connection, notification_log, ["group_key", "channel", "recipient"]), kept)

    def alerts(
        self, status: str | None = None, limit: int | None = 100, severity: str | None = None, domain: str | None = None
    ) -> list[Alert]:
        """At most `limit` alerts, the newest first. `status`: pending, firing, resolved, or `open` (the same as
        firing). None means all alerts that have ever fired.
        """
        statement = _asked(select(alerts.c.body), status, severity, domain)
        with self.read() as connection:
            return [
                alert_of(row.body)
                for row in connection.execute(statement.order_by(alerts.c.number.desc()).limit(limit))
            ]

    def count_alerts(self, status: str | None = None, severity: str | None = None, domain: str | None = None) -> int:
        """How many alerts `alerts` would return without a limit."""
        with self.read() as connection:
            return int(
                connection.execute(
                    _asked(select(func.count()).select_from(alerts), status, severity, domain)
                ).scalar_one()
            )

    def alert(self, number: int) -> Alert | None:
        with self.read() as connection:
            body = connection.execute(select(alerts.c.body).where(alerts.c.number == number)).scalar()
        return None if body is None else alert_of(body)

    def timeline(self, number: int) -> list[Event]:
        statement = select(alert_events).where(alert_events.c.alert == number).order_by(alert_events.c.id)
        with self.read() as connection:
            return [
                Event(row.alert, from_seconds(row.at), AlertReason(row.reason), row.detail)
                for row in connection.execute(statement)
            ]

    def messages_about(self, number: int) -> list[dict[str, Any]]:
        """The messages in the outbox that named this alert."""
        named = f"%{number}%"
        listed = or_(cast(outbox.c.firing, Text).like(named), cast(outbox.c.resolved, Text).like(named))
        statement = select(outbox).where(listed).order_by(outbox.c.id)
        with self.read() as connection:
            return [
                {
                    "id": row.id,
                    "channel": row.channel,
                    "recipient": row.recipient,
                    "state": row.state,
                    "attempts": row.attempts,
                    "reason": row.reason,
                    "created_at": from_seconds(row.created_at),
                    "delivered_at": from_seconds(row.delivered_at) if row.delivered_at else None,
                    "last_error": row.last_error,
                }
                for row in connection.execute(statement)
                if number in row.firing or number in row.resolved
            ]

    def give_verdict(self, number: int, verdict: str, why: str, by: str, now: datetime) -> None:
        """Store a person's verdict on an alert. It replaces an earlier verdict."""
        with self.write() as connection:
            connection.execute(delete(verdicts).where(verdicts.c.alert == number))
            connection.execute(
                insert(verdicts),
                {"alert": number, "verdict": verdict, "why": why, "given_by": by, "at": to_seconds(now)},
            )

    def verdicts(self) -> list[dict[str, Any]]:
        """Every verdict, with the rule, asset and partition of its alert."""
        statement = select(verdicts, alerts.c.rule, alerts.c.asset, alerts.c.body).join(
            alerts, alerts.c.number == verdicts.c.alert
        )
        with self.read() as connection:
            return [
                {
                    "alert": row.alert,
                    "verdict": row.verdict,
                    "why": row.why,
                    "by": row.given_by,
                    "at": from_seconds(row.at),
                    "rule": row.rule,
                    "asset": row.asset,
                    "partition": row.body["labels"].get("partition", ""),
                    "dates": row.body["labels"].get("dates", ""),
                    "check": row.body["labels"].get("check", ""),
                }
                for row in connection.execute(statement.order_by(verdicts.c.alert))
            ]

    def last_ends(self) -> dict[str, datetime]:
        """Domain → when its last alert ended."""
        statement = (
            select(alerts.c.domain, func.max(alerts.c.resolved_at))
            .where(alerts.c.resolved_at.is_not(None), alerts.c.fired_at.is_not(None))
            .group_by(alerts.c.domain)
        )
        with self.read() as connection:
            return {domain: from_seconds(at) for domain, at in connection.execute(statement).tuples()}

    def fired_by_rule(self) -> dict[str, int]:
        """Rule → how many of its alerts have ever fired."""
        statement = select(alerts.c.rule, func.count()).where(alerts.c.fired_at.is_not(None)).group_by(alerts.c.rule)
        with self.read() as connection:
            return dict(connection.execute(statement).all())
