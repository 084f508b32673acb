"""What a channel's sender does, and how it can fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings

TIMEOUT_SECONDS = 10.0
"""The time for one whole call to a service, from looking up its name to the end of its answer. No caller waits
longer.
"""


class DeliveryError(RuntimeError):
    """The message was not delivered. `permanent`: trying again cannot help. `retry_after`: when the service asks to
    be tried again. `service_down`: the service itself could not be used (no connection, no answer, login refused),
    so that its other messages would fail as well. `remaining`: the recipients who did not get it, if others did; if
    it is also `permanent`, they will never get it, and the message counts as delivered.
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
        """Returns what the service answered, within TIMEOUT_SECONDS. Raises DeliveryError."""
        ...


class ChannelModule(Protocol):
    """The functions that each module of a kind of channel has. The channel that they get is of that kind."""

    def missing(self, channel: Any, settings: Settings) -> list[str]:
        """Environment variables that are not set or cannot be used. If one cannot be used, the reason follows in
        parentheses.
        """
        ...

    def sender(self, channel: Any, settings: Settings) -> Sender:
        """The sender of a channel that has all its variables."""
        ...
