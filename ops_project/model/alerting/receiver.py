"""Who gets messages, and through which channels. Secrets are names of environment variables, never values."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ops_project.model.base import Model, StoredName
from ops_project.model.owner import Person, Team

SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Recipients = Literal["owners", "primary-owner", "on-call"]


class Channel(Model):
    """One channel of a receiver. `to` is `owners`, `primary-owner`, `on-call`, or a list of names. A name is an e-mail
    address, a person's id or team:<id>.
    """

    type: str
    to: Recipients | tuple[str, ...] = ()
    """To whom the channel sends."""
    send_resolved: bool = True
    """True: the end of an alert is sent as well."""
    inform: bool = False
    """True: this channel only informs its recipients, even if its receiver pages."""
    rate_limit: int = Field(default=60, ge=1)
    """The largest number of messages in a minute, for each endpoint."""
    max_attempts: int = Field(default=60, ge=1)
    """After this many failed attempts the channel gives the message up. This is reported as a signal."""

    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that name a variable whose value must never be shown."""
    either: ClassVar[tuple[str, ...]] = ()
    """Fields that name variables. The channel works if one of these variables is set."""
    one_reader: ClassVar[bool] = False
    """True: one person reads all messages of this channel. So an alert with two owners gives one message that names
    both.
    """
    one_message: ClassVar[bool] = False
    """True: all recipients in `to` share one message. If there is no recipient, nothing is sent."""

    def address_of(self, owner: Person | Team) -> str | None:
        """The address at which this kind of channel reaches an owner; None if it uses the owner's id."""
        return None

    def address_of_stranger(self, name: str) -> str | None:
        """The address at which this kind of channel reaches an owner whom owners.yaml does not know; None if this kind
        of channel cannot reach such an owner.
        """
        return name

    def secret_variables(self) -> list[str]:
        """The environment variables whose values must never be shown."""
        names: list[str | None] = [getattr(self, field) for field in self.secret_fields]
        return [name for name in names if name]


class FileChannel(Channel):
    type: Literal["file"]
    """Writes into the folder `alerts` of the home."""


class ConsoleChannel(Channel):
    type: Literal["console"]
    """Prints a few lines on standard error."""
    one_reader = True


class EmailChannel(Channel):
    type: Literal["email"]
    """Sends an e-mail."""
    host_env: SecretName = "OPS_SMTP_HOST"
    """Variable with the name of the SMTP server."""
    port_env: SecretName = "OPS_SMTP_PORT"
    """Variable with the port of the SMTP server."""
    user_env: SecretName = "OPS_SMTP_USER"
    """Variable with the user's name."""
    password_env: SecretName = "OPS_SMTP_PASSWORD"
    """Variable with the password."""
    sender_env: SecretName = "OPS_SMTP_FROM"
    """Variable with the sender's address."""
    tls: Literal["starttls", "implicit", "auto", "none"] = "auto"
    """How the connection is encrypted. `none`: the connection is not encrypted, and the password is sent in clear text.
    """
    secret_fields = ("password_env",)
    one_message = True

    def address_of(self, owner: Person | Team) -> str | None:
        return owner.email

    def address_of_stranger(self, name: str) -> str | None:
        return name if "@" in name else None


class SlackChannel(Channel):
    type: Literal["slack"]
    """Sends to Slack."""
    webhook_env: SecretName = "OPS_SLACK_WEBHOOK"
    """Variable with the URL of an incoming webhook."""
    token_env: SecretName = "OPS_SLACK_TOKEN"
    """Variable with a bot token. With a token, each owner can have a channel."""
    channel: str | None = None
    """The channel for owners without a Slack name."""
    secret_fields = ("webhook_env", "token_env")
    either = ("webhook_env", "token_env")

    def address_of(self, owner: Person | Team) -> str | None:
        return owner.slack or self.channel or ""

    def address_of_stranger(self, name: str) -> str | None:
        # A name in Slack begins with one of these characters, or is the id of a channel.
        return (self.channel or "") if name.startswith("team:") or "@" in name[1:] else name


class PagerDutyChannel(Channel):
    type: Literal["pagerduty"]
    """Sends to PagerDuty."""
    routing_key_env: SecretName = "OPS_PAGERDUTY_ROUTING_KEY"
    """Variable with the routing key."""
    url_env: SecretName = "OPS_PAGERDUTY_URL"
    """Variable with the address of the service, if it is not PagerDuty's own."""
    escalates: bool = True
    """True: the service escalates by itself, so the platform does not escalate the alert."""
    secret_fields = ("routing_key_env",)


class WebhookChannel(Channel):
    type: Literal["webhook"]
    """Sends JSON to a URL."""
    url_env: SecretName
    """Variable with the URL."""
    token_env: SecretName | None = None
    """Variable with a token, which is sent as a bearer token."""
    secret_fields = ("url_env", "token_env")


AnyChannel = Annotated[
    FileChannel | ConsoleChannel | EmailChannel | SlackChannel | PagerDutyChannel | WebhookChannel,
    Field(discriminator="type"),
]


class Receiver(Model):
    """A receiver: the channels through which its messages are sent. Routes refer to it by its name."""

    title: str
    """The receiver's name for people."""
    page: bool = False
    """True if this receiver interrupts a person. Only critical alerts may go to it."""
    channels: tuple[AnyChannel, ...] = Field(min_length=1)
    """The ways in which the receiver gets messages."""

    def named(self, receiver: str) -> list[tuple[str, AnyChannel]]:
        """Each channel with its name, for example data-team/2-email.

        The name contains the kind of the channel. So if the list of channels is edited, a message that waits is never
        sent through a channel of another kind.
        """
        return [(f"{receiver}/{index}-{channel.type}", channel) for index, channel in enumerate(self.channels)]


class Receivers(Model):
    """receivers.yaml: who gets messages, and through which channels."""

    receivers: dict[StoredName, Receiver] = Field(min_length=1)
