"""Configuration → senders. A client library is imported only where its channel is used and its secrets are set."""

from __future__ import annotations

from collections.abc import Mapping

from ops_project.model.alerting.receiver import (
    AnyChannel,
    ConsoleChannel,
    EmailChannel,
    FileChannel,
    PagerDutyChannel,
    Receiver,
    SlackChannel,
    WebhookChannel,
)
from ops_project.operations.channels.protocol import Sender
from ops_project.settings import Settings

DEFAULT_SMTP_PORT = 25
DEFAULT_SENDER = "ops@localhost"


def missing(channel: AnyChannel, settings: Settings) -> list[str]:
    """Environment variables without which this channel cannot send."""
    if isinstance(channel, EmailChannel):
        return [] if settings.secret(channel.host_env) else [channel.host_env]
    if isinstance(channel, SlackChannel):
        found = settings.secret(channel.webhook_env) or settings.secret(channel.token_env)
        return [] if found else [channel.webhook_env, channel.token_env]
    if isinstance(channel, PagerDutyChannel):
        return [] if settings.secret(channel.routing_key_env) else [channel.routing_key_env]
    if isinstance(channel, WebhookChannel):
        return [] if settings.secret(channel.url_env) else [channel.url_env]
    return []


def unconfigured(receivers: Mapping[str, Receiver], settings: Settings) -> dict[str, list[str]]:
    """Name of each channel that lacks something → the variables it lacks."""
    return {
        name: lacking
        for receiver_name, receiver in receivers.items()
        for name, channel in receiver.named(receiver_name)
        if (lacking := missing(channel, settings))
    }


def sender(channel: AnyChannel, settings: Settings) -> Sender:
    """The sender of a channel whose secrets are set."""
    if isinstance(channel, FileChannel):
        from ops_project.operations.channels.file import FileSender

        return FileSender(settings.home / "alerts")
    if isinstance(channel, ConsoleChannel):
        from ops_project.operations.channels.console import ConsoleSender

        return ConsoleSender()
    if isinstance(channel, EmailChannel):
        from ops_project.operations.channels.email import EmailSender

        return EmailSender(
            settings.secret(channel.host_env) or "",
            int(settings.secret(channel.port_env) or DEFAULT_SMTP_PORT),
            settings.secret(channel.sender_env) or DEFAULT_SENDER,
            settings.secret(channel.user_env),
            settings.secret(channel.password_env),
            channel.tls,
        )
    if isinstance(channel, SlackChannel):
        from ops_project.operations.channels.slack import SlackTokenSender, SlackWebhookSender

        if token := settings.secret(channel.token_env):
            return SlackTokenSender(token, channel.channel, settings.secret("OPS_SLACK_URL"))
        return SlackWebhookSender(settings.secret(channel.webhook_env) or "")
    if isinstance(channel, PagerDutyChannel):
        from ops_project.operations.channels.pagerduty import PagerDutySender

        return PagerDutySender(settings.secret(channel.routing_key_env) or "", settings.secret(channel.url_env))
    from ops_project.operations.channels.webhook import WebhookSender

    return WebhookSender(
        settings.secret(channel.url_env) or "", settings.secret(channel.token_env) if channel.token_env else None
    )
