"""Defines what the sender of a channel does, and how it can fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings

TIMEOUT_SECONDS = 10.0
"""The time limit for a whole call to a service, from looking up its name to the end of its answer. No caller waits
longer.
"""


class DeliveryError(RuntimeError):
    """The message was not delivered.

    `permanent`: trying again cannot help. `retry_after`: how long the service asks us to wait. `service_down`: the
    service could not be used at all (no connection, no answer, login refused), so its other messages would fail too.
    `remaining`: the recipients who have not got the message, if others have. If `permanent` is also set, these
    recipients will never get it, and the message counts as delivered.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        service_down: bool = False,
        remaining: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.service_down = service_down
        self.remaining = remaining


class Sender(Protocol):
    """Sends one message. It may be called again with the same message."""

    def send(self, message: Message) -> str:
        """Send the message within TIMEOUT_SECONDS, and return what the service answered. Raises DeliveryError."""
        ...


class ChannelModule(Protocol):
    """The functions that the module of each kind of channel has. They are called with a channel of that kind."""

    def missing(self, channel: Any, settings: Settings) -> list[str]:
        """The environment variables that are not set or cannot be used. If a value cannot be used, the name is followed
        by the reason in parentheses.
        """
        ...

    def sender(self, channel: Any, settings: Settings) -> Sender:
        """The sender of a channel whose variables are all set."""
        ...
