"""A real SMTP server on loopback."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Delivered(EmailMessage):
    """A message with the recipients of its envelope."""

    envelope_to: list[str]


class Mailbox:
    """Keeps the messages that it receives. `refuse` makes it answer with that line instead."""

    def __init__(self) -> None:
        self.messages: list[Delivered] = []
        self.refuse: str | None = None
        self.full: set[str] = set()
        """Recipients whose mailbox is full."""
        self.unknown: set[str] = set()
        self.last: set[str] = set()
        """Recipients at whom the server says that it shuts down."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.full:
            return "452 mailbox full"
        if address in self.unknown:
            return "550 unknown"
        if address in self.last:
            return "421 shutting down"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            return self.refuse
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(
            envelope.content, policy=email.policy.default.clone(message_factory=Delivered)
        )
        assert isinstance(message, Delivered)
        message.envelope_to = list(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def smtp_server(port: int | None = None) -> Iterator[tuple[Mailbox, int]]:
    """(mailbox, port) of a running server."""
    mailbox = Mailbox()
    port = port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()
