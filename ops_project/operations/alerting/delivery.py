"""Sends the messages of the outbox, the most severe first. They are sent one at a time, so a kill can make at most one
message arrive twice.

This module decides nothing. Every message in the outbox is sent, later if necessary. It is given up only after many
attempts, or if it can never be delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_project.model.alerting.receiver import AnyChannel, Receiver
from ops_project.operations.alerting.decide.backoff import delay
from ops_project.operations.channels import registry
from ops_project.operations.channels.protocol import DeliveryError, Sender
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.leases import Fence
from ops_project.operations.ledger.outbox import LONGEST_WAIT, Message
from ops_project.process.kill_points import reach
from ops_project.settings import Settings

MINUTE = timedelta(minutes=1)
# A cycle must end soon enough to look at new events, however slowly the services answer.
BUDGET = timedelta(seconds=20)

Clock = Callable[[], datetime]


@dataclass
class DeliveryReport:
    delivered: int = 0
    failed: int = 0
    dead: int = 0
    postponed: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    """Channel → its last error."""


@dataclass(frozen=True)
class _Failed:
    until: datetime
    service: bool
    """True if the service could not be used at all; False if only the message to this recipient failed."""


class Deliverer:
    """Keeps the senders of one configuration, so that each sender's client is made only once."""

    def __init__(
        self,
        ledger: Ledger,
        receivers: Mapping[str, Receiver],
        settings: Settings,
        lease: Fence | None = None,
        prepare: Callable[[Message], Message] | None = None,
    ) -> None:
        """`prepare`: adds the parts of a message that are never stored, such as signed links. It is called just before
        the message is sent.
        """
        self.prepare = prepare
        self.ledger, self.receivers, self.settings, self.lease = ledger, receivers, settings, lease
        self.senders: dict[str, Sender] = {}
        self.hidden = registry.secret_values(receivers, settings)

    def deliver(self, clock: Clock, kind: str = "", without: Collection[str] = ()) -> DeliveryReport:
        """Send the messages that are due, within the time budget. `kind`: only messages of this kind. `without`:
        channels to leave out. Raises LeaseLost if another process has taken over the cycle.
        """
        report = DeliveryReport()
        started = clock()
        down: dict[tuple[str, str], datetime] = {}
        tried: set[int] = set()
        while clock() - started < BUDGET:
            due = self.ledger.due(clock(), kind=kind, without=without)
            if not due:
                break
            for message in due:
                endpoint = (message.channel, message.recipient)
                until = down.get((message.channel, "")) or down.get(endpoint) or self._limited(message, clock())
                if until is not None:
                    # All messages to this endpoint are postponed together. So a dead service is asked once, and not
                    # once for each message.
                    whole = (message.channel, "") in down
                    same = [
                        m.id
                        for m in due
                        if m.id not in tried
                        and m.channel == message.channel
                        and (whole or m.recipient == message.recipient)
                    ]
                    self.ledger.postpone(same, until)
                    report.postponed += len(same)
                    break
                tried.add(message.id)
                if (failed := self._attempt(message, report, clock)) is not None:
                    down[(message.channel, "") if failed.service else endpoint] = failed.until
                if clock() - started >= BUDGET:
                    break
        return report

    def _limited(self, message: Message, now: datetime) -> datetime | None:
        channel = self._channel(message)
        if (
            channel is None
            or self.ledger.sent_since(message.channel, message.recipient, now - MINUTE) < channel.rate_limit
        ):
            return None
        return now + MINUTE / channel.rate_limit

    def _channel(self, message: Message) -> AnyChannel | None:
        receiver = self.receivers.get(message.receiver)
        return dict(receiver.named(message.receiver)).get(message.channel) if receiver is not None else None

    def _attempt(self, message: Message, report: DeliveryReport, clock: Clock) -> _Failed | None:
        """Send one message. If it failed and will be tried again, returns the time until which its endpoint, or the
        whole service, gets no message. Otherwise returns None.
        """
        channel = self._channel(message)
        if not self.ledger.claim(message.id, clock(), self.lease):
            return None
        reach("delivery:claimed")
        attempt = message.attempts + 1
        try:
            if channel is None:
                raise DeliveryError(f"receiver {message.channel} is no longer configured", permanent=True)
            if lacking := registry.missing(channel, self.settings):
                raise DeliveryError(registry.lacks(lacking), service_down=True)
            if message.channel not in self.senders:
                self.senders[message.channel] = registry.sender(channel, self.settings)
            detail = self.senders[message.channel].send(self.prepare(message) if self.prepare else message)
        except DeliveryError as error:
            return self._failed(message, attempt, channel, error=error, report=report, clock=clock)
        except Exception as error:
            # An error inside a sender must not stop the messages that follow.
            return self._failed(
                message,
                attempt,
                channel,
                error=DeliveryError(f"{type(error).__name__}: {error}"),
                report=report,
                clock=clock,
            )
        reach("delivery:sent")
        self.ledger.delivered(message.id, clock(), registry.mask(detail, self.hidden), self.lease)
        report.delivered += 1
        return None

    def _failed(
        self,
        message: Message,
        attempt: int,
        channel: AnyChannel | None,
        *,
        error: DeliveryError,
        report: DeliveryReport,
        clock: Clock,
    ) -> _Failed | None:
        words = registry.mask(str(error), self.hidden)
        report.errors[message.channel] = words
        limit = channel.max_attempts if channel is not None else 0
        if error.permanent and error.remaining:
            self.ledger.delivered(message.id, clock(), words, self.lease, refused=error.remaining)
            report.delivered += 1
            return None
        if error.permanent or attempt >= limit:
            self.ledger.failed(message.id, clock(), words, retry_at=None, lease=self.lease)
            report.dead += 1
            return None
        # A service may ask for a shorter or longer wait than ours. It never gets more than LONGEST_WAIT.
        wait = error.retry_after if error.retry_after else delay(attempt, message.key)
        retry_at = clock() + min(wait, LONGEST_WAIT)
        self.ledger.failed(message.id, clock(), words, retry_at=retry_at, lease=self.lease, remaining=error.remaining)
        report.failed += 1
        return _Failed(retry_at, error.service_down)
