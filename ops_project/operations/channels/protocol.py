"""What a channel's sender does and how it fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from ops_project.operations.ledger.outbox import Message

TIMEOUT_SECONDS = 10.0
"""Of one call to a service; nothing waits longer for it."""


class DeliveryError(RuntimeError):
    """It was not delivered. `permanent`: trying again cannot help; `retry_after`: the service said when."""

    def __init__(self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Sender(Protocol):
    """Sends one message; safe to be called again with the same message."""

    def send(self, message: Message) -> str:
        """Returns what the service answered. Raises DeliveryError."""
        ...
