"""Who is told, and through what. Secrets are names of environment variables, never values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ops_project.model.base import Model

SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Recipients = Literal["owners", "primary-owner"]


class Channel(Model):
    """One way to tell one receiver. `to` is `owners`, `primary-owner`, or names: e-mail addresses, team:<id>,
    people."""

    to: Recipients | tuple[str, ...] = ()
    send_resolved: bool = True
    rate_limit: int = Field(default=60, ge=1)
    """Messages a minute, for each endpoint."""
    max_attempts: int = Field(default=60, ge=1)
    """After so many failures the message is dead, and that is a signal itself."""


class FileChannel(Channel):
    type: Literal["file"]


class ConsoleChannel(Channel):
    type: Literal["console"]
    send_resolved: bool = True


class EmailChannel(Channel):
    type: Literal["email"]
    host_env: SecretName = "OPS_SMTP_HOST"
    port_env: SecretName = "OPS_SMTP_PORT"
    user_env: SecretName = "OPS_SMTP_USER"
    password_env: SecretName = "OPS_SMTP_PASSWORD"
    sender_env: SecretName = "OPS_SMTP_FROM"
    tls: Literal["starttls", "implicit", "auto", "none"] = "auto"


class SlackChannel(Channel):
    type: Literal["slack"]
    webhook_env: SecretName = "OPS_SLACK_WEBHOOK"
    token_env: SecretName = "OPS_SLACK_TOKEN"
    channel: str | None = None


class PagerDutyChannel(Channel):
    type: Literal["pagerduty"]
    routing_key_env: SecretName = "OPS_PAGERDUTY_ROUTING_KEY"
    url_env: SecretName = "OPS_PAGERDUTY_URL"
    escalates: bool = True
    """The service escalates by itself: our ladder stands down."""


class WebhookChannel(Channel):
    type: Literal["webhook"]
    url_env: SecretName
    token_env: SecretName | None = None


AnyChannel = Annotated[
    FileChannel | ConsoleChannel | EmailChannel | SlackChannel | PagerDutyChannel | WebhookChannel,
    Field(discriminator="type"),
]


class Receiver(Model):
    """A name that routes use."""

    title: str
    page: bool = False
    """True where this interrupts somebody: only critical alerts may go there."""
    channels: tuple[AnyChannel, ...] = Field(min_length=1)

    def named(self, receiver: str) -> list[tuple[str, AnyChannel]]:
        """(name, channel) of each channel: data-team/2-email. The kind in the name keeps a message that waits from
        going
        out through another channel when the list is edited meanwhile."""
        return [(f"{receiver}/{index}-{channel.type}", channel) for index, channel in enumerate(self.channels)]


class Receivers(Model):
    """receivers.yaml."""

    receivers: dict[str, Receiver] = Field(min_length=1)
