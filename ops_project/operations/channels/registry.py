"""Configuration → senders. A client library is imported only where its channel is used and its secrets are set."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from urllib.parse import quote

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
from ops_project.operations.channels.http import wrong_address
from ops_project.operations.channels.protocol import Sender
from ops_project.settings import Settings

DEFAULT_SMTP_PORT = 25
DEFAULT_SENDER = "ops@localhost"
MASKED = "***"
# A password of three letters would blank half of every sentence, and protects nothing.
SHORTEST = 4
LONG_PART = 12
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]+")


def missing(channel: AnyChannel, settings: Settings, elsewhere: Collection[str] = ()) -> list[str]:
    """Environment variables without which this channel cannot send; those that hold no address say why not.

    `elsewhere`: variables that another process has, which sends what this one cannot.
    """
    lacking = _missing(channel, settings)
    if isinstance(channel, SlackChannel) and not {channel.webhook_env, channel.token_env}.isdisjoint(elsewhere):
        # One of the two is enough.
        return [name for name in lacking if "(" in name]
    return [name for name in lacking if name not in elsewhere]


def _missing(channel: AnyChannel, settings: Settings) -> list[str]:
    if isinstance(channel, EmailChannel):
        return _unusable(settings, {channel.host_env: _wrong_host, channel.port_env: _wrong_port}, {channel.port_env})
    if isinstance(channel, SlackChannel):
        if settings.secret(channel.token_env):
            return _unusable(settings, {"OPS_SLACK_URL": wrong_address}, {"OPS_SLACK_URL"})
        if settings.secret(channel.webhook_env):
            return _unusable(settings, {channel.webhook_env: wrong_address})
        return [channel.webhook_env, channel.token_env]
    if isinstance(channel, PagerDutyChannel):
        usable = {channel.routing_key_env: _wrong_key, channel.url_env: wrong_address}
        return _unusable(settings, usable, {channel.url_env})
    if isinstance(channel, WebhookChannel):
        return _unusable(settings, {channel.url_env: wrong_address})
    return []


def _unusable(
    settings: Settings, wanted: Mapping[str, Callable[[str], str]], optional: Collection[str] = ()
) -> list[str]:
    found = []
    for name, wrong in wanted.items():
        value = settings.secret(name)
        if value is None:
            found += [name] if name not in optional else []
        elif words := wrong(value):
            found.append(f"{name} ({words})")
    return found


def _wrong_host(value: str) -> str:
    return "it is no host name" if not _HOST.fullmatch(value) else ""


def _wrong_port(value: str) -> str:
    return "" if value.isascii() and value.isdigit() and 0 < int(value) < 65_536 else "it is no port"


def _wrong_key(value: str) -> str:
    return "it contains a blank" if len(value.split()) != 1 or value != value.strip() else ""


def unconfigured(
    receivers: Mapping[str, Receiver], settings: Settings, elsewhere: Collection[str] = ()
) -> dict[str, list[str]]:
    """Name of each channel that lacks something → the variables it lacks; `elsewhere` as in `missing`."""
    return {
        name: lacking
        for receiver_name, receiver in receivers.items()
        for name, channel in receiver.named(receiver_name)
        if (lacking := missing(channel, settings, elsewhere))
    }


def secret_names(receivers: Mapping[str, Receiver]) -> set[str]:
    """Every variable that some channel reads."""
    return {
        value
        for receiver in receivers.values()
        for channel in receiver.channels
        for field, value in channel
        if field.endswith("_env") and value
    }


def lacks(lacking: Sequence[str]) -> str:
    """Words for what `missing` found: OPS_SMTP_HOST is not set."""
    unset = [name for name in lacking if "(" not in name]
    wrong = [f"{name} cannot be used {words}" for name, _, words in (item.partition(" ") for item in lacking) if words]
    return "; ".join([f"{' or '.join(unset)} is not set"] * bool(unset) + wrong)


def secret_values(receivers: Mapping[str, Receiver], settings: Settings) -> list[str]:
    """What must not be repeated anywhere: the passwords, tokens, keys and addresses of the channels, longest first."""
    names: set[str] = set()
    for receiver in receivers.values():
        for channel in receiver.channels:
            for field in ("password_env", "webhook_env", "token_env", "routing_key_env"):
                names.add(getattr(channel, field, None) or "")
            if isinstance(channel, WebhookChannel):
                names.add(channel.url_env)
    values = {value for name in names if name and (value := settings.secret(name))}
    # An address is also repeated in parts: a client that refuses it may name its path alone.
    for value in list(values):
        values |= {value.strip(), quote(value, safe=""), quote(value, safe="/:")}
        values |= {part for part in re.split(r"[/?&=#@\s]+", value) if len(part) >= LONG_PART}
    return sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)


def mask(text: str, values: Collection[str]) -> str:
    """`text` without any of `values`."""
    for value in values:
        if value in text:
            text = text.replace(value, MASKED)
    return text


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
