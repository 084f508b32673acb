"""The outbox. Each message is claimed before it is sent, and marked as sent afterwards. So a kill loses no message.

If the process that has claimed a message dies, the message is sent again and counted as uncertain. This is the only
duplicate that a kill can cause. A claim is made and ended under the lease of the cycle. A process that has lost the
lease in the meantime can still record that a message arrived, because that is true in any case. It can change nothing
else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, or_, select

from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.leases import Fence, check_fence
from ops_project.operations.ledger.schema import deliveries, outbox
from ops_project.operations.ledger.text import clean, cut

LONGEST_WAIT = timedelta(minutes=5)
"""The longest wait between two attempts to send a message, even if the service asks for a longer one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to be sent."""

    id: int
    key: str
    kind: str
    receiver: str
    channel: str
    recipient: str
    severity: str
    group: str
    payload: dict[str, Any]
    created_at: datetime
    attempts: int
    uncertain: int
    remaining: tuple[str, ...] = ()
    """The recipients who have not got the message, if other recipients have."""


def _message(row: Any) -> Message:
    return Message(
        id=row.id,
        key=row.key,
        kind=row.kind,
        receiver=row.receiver,
        channel=row.channel,
        recipient=row.recipient,
        severity=row.severity,
        group=row.group_key,
        payload=row.payload,
        created_at=from_seconds(row.created_at),
        attempts=row.attempts,
        uncertain=row.uncertain,
        remaining=tuple(row.remaining.split(",")) if row.remaining else (),
    )


class OutboxTable(Access):
    """Claims messages, marks them as sent, and puts them back."""

    def recover_claims(self) -> int:
        """Put back the messages that an earlier holder of the lease had claimed, and return their number. Only the
        present holder may call this.
        """
        with self.write() as connection:
            result = connection.execute(
                outbox.update()
                .where(outbox.c.state == "sending")
                .values(state="pending", uncertain=outbox.c.uncertain + 1)
            )
        return int(result.rowcount)

    def sending(self) -> int:
        """How many messages are claimed."""
        return self._how_many("sending")

    def waiting(self) -> int:
        """How many messages wait to be sent. Claimed messages are not counted."""
        return self._how_many("pending")

    def _how_many(self, state: str) -> int:
        def ask() -> int:
            with self.read() as connection:
                found = select(func.count()).select_from(outbox).where(outbox.c.state == state)
                return connection.execute(found).scalar_one()

        return self.answers.ask(("messages", state), ask)

    def due(self, now: datetime, limit: int = 500, *, kind: str = "", without: Collection[str] = ()) -> list[Message]:
        """The messages that may be sent now, the most severe first, and among equals the oldest first. `kind`: only
        messages of this kind. `without`: channels to leave out.

        Of the messages of one group to one recipient, only the oldest that has not been settled is due. Otherwise an
        acknowledgement or a resolve could overtake a trigger that is being tried again, and the page would stay open
        for ever.
        """
        # This subquery reads the waiting messages once, and only if a message is due. Looking up the earlier messages
        # for each due message would take quadratic time when there are many.
        waiting = outbox.alias("waiting")
        oldest = (
            select(func.min(waiting.c.id))
            .where(waiting.c.state.in_(("pending", "sending")), waiting.c.group_key != "")
            .group_by(waiting.c.channel, waiting.c.recipient, waiting.c.group_key)
        )
        statement = (
            select(outbox)
            .where(outbox.c.state == "pending")
            .where(
                or_(
                    outbox.c.next_attempt_at <= to_seconds(now),
                    # No wait is longer than this. So such a row was written under a clock that was ahead.
                    outbox.c.next_attempt_at > to_seconds(now + LONGEST_WAIT),
                )
            )
            .where(or_(outbox.c.group_key == "", outbox.c.id.in_(oldest)))
            .order_by(outbox.c.rank.desc(), outbox.c.id)
            .limit(limit)
        )
        if kind:
            statement = statement.where(outbox.c.kind == kind)
        if without:
            statement = statement.where(outbox.c.channel.not_in(sorted(without)))
        with self.read() as connection:
            return [_message(row) for row in connection.execute(statement)]

    def claim(self, message: int, now: datetime, lease: Fence | None = None) -> bool:
        """Claim a message. Returns False if another process has claimed it. Raises LeaseLost if another process has
        taken `lease`.
        """
        with self.write() as connection:
            if lease is not None:
                check_fence(connection, *lease)
            result = connection.execute(
                outbox.update()
                .where(outbox.c.id == message, outbox.c.state == "pending")
                .values(
                    state="sending",
                    claimed_at=to_seconds(now),
                    attempts=outbox.c.attempts + 1,
                    claim=lease[2] if lease is not None else None,
                )
            )
        return result.rowcount == 1

    def delivered(
        self,
        message: int,
        now: datetime,
        detail: str = "",
        lease: Fence | None = None,
        refused: Sequence[str] = (),
    ) -> bool:
        """Mark the message as sent. `refused`: recipients who will never get it. `detail`: why these recipients will
        never get it.

        Returns False if another process now has the claim. Then the message is marked only if it waits or was given up.
        """
        done = {"state": "delivered", "delivered_at": to_seconds(now), "last_error": "", "remaining": ""}
        if refused:
            done |= {"last_error": cut(clean(detail)), "remaining": ",".join(refused)}
        return self._settle(
            message, now, "delivered", detail=detail, lease=lease, values=done, late=("pending", "dead")
        )

    def failed(
        self,
        message: int,
        now: datetime,
        error: str,
        *,
        retry_at: datetime | None,
        lease: Fence | None = None,
        remaining: Sequence[str] = (),
    ) -> bool:
        """Put the message back until `retry_at`; if `retry_at` is None, give it up. `remaining`: the recipients who
        have not got it. If another process now has the claim, nothing changes and False is returned.
        """
        left = {"remaining": ",".join(remaining)} if remaining else {}
        text = cut(clean(error))
        if retry_at is None:
            return self._settle(
                message, now, "dead", detail=text, lease=lease, values={"state": "dead", "last_error": text, **left}
            )
        again = {"state": "pending", "last_error": text, "next_attempt_at": to_seconds(retry_at), **left}
        return self._settle(message, now, "failed", detail=text, lease=lease, values=again)

    def postpone(self, messages: list[int], until: datetime) -> None:
        """Put messages off without counting an attempt, because of a rate limit or because their endpoint has just
        failed.
        """
        with self.write() as connection:
            connection.execute(
                outbox.update()
                .where(outbox.c.id.in_(messages), outbox.c.state == "pending")
                .values(next_attempt_at=to_seconds(until))
            )

    def _settle(
        self,
        message: int,
        now: datetime,
        outcome: str,
        *,
        detail: str,
        lease: Fence | None,
        values: Mapping[str, Any],
        late: Sequence[str] = (),
    ) -> bool:
        """Record how an attempt ended. If the claim is still valid, or if the message is in one of the states `late`,
        the message gets `values`. Returns whether the claim was valid.
        """
        with self.write() as connection:
            own = outbox.update().where(outbox.c.id == message, outbox.c.state == "sending")
            if lease is not None:
                own = own.where(outbox.c.claim == lease[2])
            settled = connection.execute(own.values(**values)).rowcount == 1
            if not settled and late:
                connection.execute(
                    outbox.update().where(outbox.c.id == message, outbox.c.state.in_(late)).values(**values)
                )
            connection.execute(
                insert(deliveries),
                {
                    "outbox_id": message,
                    "at": to_seconds(now),
                    "outcome": outcome if settled else f"late {outcome}",
                    "detail": cut(clean(detail), 2000),
                },
            )
        return settled

    def channels_waiting(self) -> set[str]:
        """The channels that have messages waiting to be sent."""
        with self.read() as connection:
            statement = select(outbox.c.channel).where(outbox.c.state == "pending").distinct()
            return set(connection.execute(statement).scalars())

    def sent_since(self, channel: str, recipient: str, since: datetime) -> int:
        """The number of deliveries to one endpoint after `since`, for its rate limit. Deliveries more than LONGEST_WAIT
        after `since` are left out, because they were written under a clock that was ahead.
        """
        statement = select(func.count()).where(
            outbox.c.channel == channel,
            outbox.c.recipient == recipient,
            outbox.c.delivered_at > to_seconds(since),
            outbox.c.delivered_at <= to_seconds(since + LONGEST_WAIT),
        )
        with self.read() as connection:
            return connection.execute(statement).scalar_one()

    def undelivered(self) -> int:
        """How many messages have not been delivered yet. Messages that are being sent are counted too."""
        waits = select(func.count()).select_from(outbox).where(outbox.c.state.in_(("pending", "sending")))
        with self.read() as connection:
            return int(connection.execute(waits).scalar_one())

    def outbox_counts(self) -> dict[str, int]:
        """State → number of messages. The key `possible_duplicates` gives the number of messages that may have been
        sent twice.
        """
        with self.read() as connection:
            counts: dict[str, int] = dict(
                connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state)).tuples().all()
            )
            counts["possible_duplicates"] = connection.execute(
                select(func.coalesce(func.sum(outbox.c.uncertain), 0))
            ).scalar_one()
        return counts

    def outbox_list(self, state: str | None, limit: int) -> list[dict[str, Any]]:
        """The messages without their payloads, the newest first."""
        names = (
            "id",
            "kind",
            "channel",
            "recipient",
            "severity",
            "reason",
            "state",
            "attempts",
            "uncertain",
            "last_error",
        )
        statement = select(outbox).order_by(outbox.c.id.desc()).limit(limit)
        if state is not None:
            statement = statement.where(outbox.c.state == state)
        with self.read() as connection:
            return [
                {
                    **{name: getattr(row, name) for name in names},
                    "created_at": from_seconds(row.created_at),
                    "delivered_at": from_seconds(row.delivered_at) if row.delivered_at else None,
                }
                for row in connection.execute(statement)
            ]

    def dead_since(self, since: datetime) -> list[Message]:
        """The messages that were given up after `since`."""
        given_up = select(deliveries.c.id).where(
            deliveries.c.outbox_id == outbox.c.id, deliveries.c.outcome == "dead", deliveries.c.at > to_seconds(since)
        )
        statement = select(outbox).where(outbox.c.state == "dead", given_up.exists())
        with self.read() as connection:
            return [_message(row) for row in connection.execute(statement)]

    def refused_since(self, since: datetime) -> dict[str, str]:
        """Channel → what the service said. These are the channels with a message that became due after `since` and that
        some recipients will never get.
        """
        statement = select(outbox.c.channel, outbox.c.last_error).where(
            outbox.c.state == "delivered", outbox.c.next_attempt_at > to_seconds(since), outbox.c.remaining != ""
        )
        with self.read() as connection:
            return dict(connection.execute(statement).tuples().all())

    def failing_channels(self, now: datetime, for_longer_than: timedelta) -> dict[str, str]:
        """Channel → its last error. These are the channels with a message that is older than `for_longer_than`, has
        failed at least once, and still waits.
        """
        statement = select(outbox.c.channel, outbox.c.last_error).where(
            outbox.c.state == "pending", outbox.c.attempts > 0, outbox.c.created_at < to_seconds(now - for_longer_than)
        )
        with self.read() as connection:
            return dict(connection.execute(statement).all())
