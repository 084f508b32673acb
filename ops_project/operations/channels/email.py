"""E-mail by SMTP, HTML and text. A group's messages are one thread, and a repeated one keeps its Message-ID."""

from __future__ import annotations

import smtplib
import socket
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from ops_project.operations.alerting.rendering.email import as_html
from ops_project.operations.alerting.rendering.lines import as_text
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.ledger.outbox import Message

DOMAIN = "ops-project.local"


class EmailSender:
    """One SMTP server. `tls`: starttls, implicit, auto (starttls where offered) or none."""

    def __init__(self, host: str, port: int, sender: str, user: str | None, password: str | None, tls: str) -> None:
        self.host, self.port, self.sender = host, port, sender
        self.user, self.password, self.tls = user, password, tls

    def send(self, message: Message) -> str:
        email = compose(message, self.sender)
        try:
            with self._connect() as server:
                refused = server.send_message(email)
        except smtplib.SMTPRecipientsRefused as error:
            permanent = all(500 <= code < 600 for code, _ in error.recipients.values())
            raise DeliveryError(f"recipients refused: {error.recipients}", permanent=permanent) from error
        except smtplib.SMTPAuthenticationError as error:
            # Somebody may set the password right in the meantime: it waits like an outage.
            raise DeliveryError(f"{self.host}: login refused ({error.smtp_code})") from error
        except smtplib.SMTPResponseException as error:
            permanent = error.smtp_code in (552, 554)
            raise DeliveryError(f"{self.host}: {error.smtp_code} {error.smtp_error!r}", permanent=permanent) from error
        except (smtplib.SMTPException, OSError, ssl.SSLError) as error:
            raise DeliveryError(f"{self.host}:{self.port}: {type(error).__name__}: {error}") from error
        return f"accepted by {self.host}" + (f", refused: {refused}" if refused else "")

    def _connect(self) -> smtplib.SMTP:
        name = socket.gethostname() or "localhost"
        if self.tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, local_hostname=name, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self.host, self.port, local_hostname=name, timeout=TIMEOUT_SECONDS)
        try:
            server.ehlo()
            if self.tls == "starttls" or (self.tls == "auto" and server.has_extn("starttls")):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            if self.user and self.password:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def compose(message: Message, sender: str) -> EmailMessage:
    """The e-mail of a message."""
    payload = message.payload
    email = EmailMessage()
    email["Subject"] = " ".join(str(payload["subject"]).split())
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
