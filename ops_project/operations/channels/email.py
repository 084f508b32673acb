"""Sends e-mails by SMTP, as HTML and plain text. The messages of a group form one thread. A message that is sent again
keeps its Message-ID.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from io import BufferedReader

from ops_project.model.alerting.receiver import EmailChannel
from ops_project.operations.alerting.rendering.email import as_html
from ops_project.operations.alerting.rendering.lines import as_text
from ops_project.operations.channels.deadline import Deadline
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.channels.variables import unusable
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings
from ops_project.visible import visible_line

DOMAIN = "ops-project.local"
DEFAULT_PORT = 25
DEFAULT_SENDER = "ops@localhost"
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]+")
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+"
_SENDER = re.compile(rf"{_ADDRESS}|[^<>]*<{_ADDRESS}>")
REPLY_BYTES = 65_536
READY, CLOSING = 220, 421
PERMANENT_FROM = 500
# With these codes, the server refuses the message itself, whoever the recipient is.
NEVER = frozenset({552, 554})

Refused = dict[str, tuple[int, bytes]]
"""Recipient → the server's code and its text."""


class EmailSender:
    """Sends through one SMTP server. `tls`: `starttls`, `implicit`, `auto` (STARTTLS if the server offers it) or
    `none`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        user: str | None,
        password: str | None,
        tls: str,
        seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.host, self.port, self.sender = host, port, sender
        self.user, self.password, self.tls = user, password, tls
        self.seconds = seconds

    def send(self, message: Message) -> str:
        email = compose(message, self.sender)
        deadline = Deadline(self.seconds)
        wanted = message.remaining or tuple(message.recipient.split(","))
        try:
            refused = self._deliver(email, wanted, deadline)
        except smtplib.SMTPRecipientsRefused as error:
            raise self._nobody_has_it(error, wanted) from error
        except smtplib.SMTPAuthenticationError as error:
            # The password may be corrected later. So the message waits, as in an outage.
            raise DeliveryError(f"{self.host}: login refused ({error.smtp_code})", service_down=True) from error
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(
                f"{self.host}: {error.smtp_code} {error.smtp_error!r}",
                permanent=error.smtp_code in NEVER,
                service_down=error.smtp_code == CLOSING or isinstance(error, smtplib.SMTPConnectError),
            ) from error
        except (smtplib.SMTPException, OSError, ssl.SSLError) as error:
            # If the deadline has shut the socket down, the call ends with one of these errors.
            words = str(deadline.error()) if deadline.passed else f"{type(error).__name__}: {error}"
            raise DeliveryError(f"{self.host}:{self.port}: {words}", service_down=True) from error
        if refused:
            # If the message is sent again, recipients who were refused for ever are asked again, and are named again.
            never = all(code >= PERMANENT_FROM for code, _ in refused.values())
            raise DeliveryError(
                f"{self.host} {'refuses' if never else 'defers'} {_said(refused)}; the other recipients have it",
                permanent=never,
                remaining=tuple(refused),
            )
        return f"accepted by {self.host}"

    def _deliver(self, email: EmailMessage, wanted: tuple[str, ...], deadline: Deadline) -> Refused:
        connected = deadline.connect(self.host, self.port)
        with deadline.ends(connected):
            connected.settimeout(deadline.remaining())
            server = self._session(connected)
            try:
                refused: Refused = server.send_message(email, to_addrs=list(wanted))
            except BaseException:
                server.close()
                raise
            # The server has accepted the message. An error after this point must not cause the message to be sent
            # again.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()
        return refused

    def _nobody_has_it(self, error: smtplib.SMTPRecipientsRefused, wanted: tuple[str, ...]) -> DeliveryError:
        """The error for a message that no recipient has got: every recipient was refused, or the server closed the
        session at one of them. In the second case, `error` names neither the recipients whom the server had accepted
        nor those who were still to come. They have not got the message either.
        """
        refused = error.recipients
        closing = CLOSING in {code for code, _ in refused.values()}
        never = {name for name, (code, _) in refused.items() if code >= PERMANENT_FROM}
        permanent = never.issuperset(wanted)
        return DeliveryError(
            f"{self.host} refuses {_said(refused)}",
            permanent=permanent,
            service_down=closing,
            # Recipients who were refused for ever are among these: they are asked and named again.
            remaining=() if permanent else wanted,
        )

    def _session(self, connected: socket.socket) -> smtplib.SMTP:
        """Open a session: read the greeting, encrypt and log in, as configured. If this fails, the socket is closed."""
        encrypted = self.tls == "implicit"
        if encrypted:
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=self.host)
        server = _Session(connected, self.host, self.port)
        try:
            server.greeted()
            server.ehlo()
            if self.tls == "starttls" or (self.tls == "auto" and server.has_extn("starttls")):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
                encrypted = True
            if self.user and self.password:
                if not encrypted and self.tls != "none":
                    raise DeliveryError(
                        f"{self.host}: it offers no encryption, so the password was not sent and nobody was told. "
                        "Use a port that offers STARTTLS, or set tls: none on this channel to send it in clear",
                        service_down=True,
                    )
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


class _Session(smtplib.SMTP):
    """An SMTP session of smtplib over a socket that is already connected. It limits how much it reads."""

    def __init__(self, connected: socket.socket, host: str, port: int) -> None:
        super().__init__(local_hostname=socket.gethostname() or "localhost")
        self.sock = connected
        self._host, self._port = host, port  # starttls() compares the certificate with this name.

    def greeted(self) -> None:
        """Read the server's greeting. Raises SMTPConnectError if the server refuses the connection."""
        code, words = self.getreply()
        if code != READY:
            raise smtplib.SMTPConnectError(code, words)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"))
        if isinstance(self.file, _Bounded):
            self.file.left = REPLY_BYTES
        return super().getreply()


class _Bounded:
    """A file of which only a limited number of bytes can be read for each reply."""

    def __init__(self, file: BufferedReader) -> None:
        self.file, self.left = file, REPLY_BYTES

    def readline(self, size: int) -> bytes:
        line = self.file.readline(size)
        self.left -= len(line)
        if self.left < 0:
            raise OSError(f"a reply of more than {REPLY_BYTES} bytes")
        return line

    def close(self) -> None:
        self.file.close()


def _said(refused: Refused) -> str:
    return "; ".join(
        f"{name}: {code} {words.decode('utf-8', 'replace')[:200]}" for name, (code, words) in refused.items()
    )


def compose(message: Message, sender: str) -> EmailMessage:
    """The e-mail for a message."""
    payload = message.payload
    email = EmailMessage()
    email["Subject"] = visible_line(" ".join(str(payload["subject"]).split()))
    email["From"] = sender
    email["To"] = ", ".join(message.recipient.split(","))
    email["Date"] = format_datetime(datetime.fromisoformat(str(payload["at"])))
    email["Message-ID"] = f"<{message.key}@{DOMAIN}>"
    if message.group:
        email["References"] = f"<{message.group}@{DOMAIN}>"
    email["Auto-Submitted"] = "auto-generated"
    email["X-Ops-Severity"] = str(payload["severity"])
    if payload.get("page"):
        email["X-Priority"] = "1"
    email.set_content(as_text(payload))
    email.add_alternative(as_html(payload), subtype="html")
    return email


def missing(channel: EmailChannel, settings: Settings) -> list[str]:
    """The variables of this channel that are missing or cannot be used. The host must be set, and each variable that is
    set must be valid.
    """
    wanted = {
        channel.host_env: _wrong_host,
        channel.port_env: _wrong_port,
        channel.sender_env: _wrong_sender,
        channel.user_env: _wrong_login,
        channel.password_env: _wrong_login,
    }
    return unusable(settings, wanted, wanted.keys() - {channel.host_env})


def sender(channel: EmailChannel, settings: Settings) -> EmailSender:
    """A sender for the mail server that the channel's variables name."""
    return EmailSender(
        settings.secret(channel.host_env) or "",
        int(settings.secret(channel.port_env) or DEFAULT_PORT),
        sender=settings.secret(channel.sender_env) or DEFAULT_SENDER,
        user=settings.secret(channel.user_env),
        password=settings.secret(channel.password_env),
        tls=channel.tls,
    )


def _wrong_host(value: str) -> str:
    return "it is not a host name" if not _HOST.fullmatch(value) else ""


def _wrong_sender(value: str) -> str:
    """What is wrong with the address of the sender; empty if nothing is wrong. A line break in it would add a header to
    every message, or would stop every message.
    """
    if value != visible_line(value):
        return "it contains a line break or another control character"
    return "" if _SENDER.fullmatch(value) else "it is not an address: write ops@example.com or Name <ops@example.com>"


def _wrong_login(value: str) -> str:
    return "" if value.isascii() else "it contains a character that is not ASCII, which no SMTP login can send"


def _wrong_port(value: str) -> str:
    return "" if value.isascii() and value.isdigit() and 0 < int(value) < 65_536 else "it is not a port"
