"""Puts messages into the outbox, in the transaction of the decision that has made them. The outbox holds a message with
the same key only once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from ops_project.model.severity import RANK
from ops_project.operations.alerting.decide.state import Notification
from ops_project.operations.ledger.access import insert_new, to_seconds
from ops_project.operations.ledger.schema import outbox


def queue(connection: Connection, notifications: Sequence[Notification]) -> int:
    """Put messages into the outbox, within the transaction of the caller. Returns how many of them are new."""
    if not notifications:
        return 0
    before = connection.execute(select(func.max(outbox.c.id))).scalar() or 0
    rows = [
        {
            "key": n.key,
            "kind": n.kind,
            "receiver": n.receiver,
            "channel": n.channel,
            "recipient": n.recipient,
            "severity": n.severity,
            "rank": RANK[n.severity],
            "reason": n.reason.value,
            "group_key": n.group,
            "firing": list(n.firing),
            "resolved": list(n.resolved),
            "payload": n.payload,
            "created_at": to_seconds(n.created_at),
            "state": "pending",
            "attempts": 0,
            "uncertain": 0,
            "next_attempt_at": to_seconds(n.created_at),
            "last_error": "",
        }
        for n in notifications
    ]
    connection.execute(insert_new(connection, outbox), rows)
    return connection.execute(select(func.count()).select_from(outbox).where(outbox.c.id > before)).scalar_one()
