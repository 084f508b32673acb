"""Slack, by incoming webhook or by bot token; with a token an owner's own channel is used."""

from __future__ import annotations

from datetime import timedelta

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from ops_project.operations.alerting.rendering.slack import as_slack
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.ledger.outbox import Message

PERMANENT = frozenset({"channel_not_found", "is_archived", "invalid_blocks", "msg_too_long", "not_in_channel"})
TOO_MANY = 429


class SlackWebhookSender:
    """One incoming webhook; its channel is fixed where it was made."""

    def __init__(self, url: str) -> None:
        self.client = WebhookClient(url, timeout=int(TIMEOUT_SECONDS))

    def send(self, message: Message) -> str:
        body = as_slack(message.payload)
        try:
            response = self.client.send(text=body["text"], blocks=body["blocks"])
        except (OSError, SlackClientError) as error:
            raise DeliveryError(f"Slack: {type(error).__name__}: {error}") from error
        if response.status_code != 200:
            wait = response.headers.get("Retry-After") or response.headers.get("retry-after")
            raise DeliveryError(
                f"Slack: {response.status_code} {response.body}",
                permanent=400 <= response.status_code < 500
                and response.status_code != TOO_MANY
                and response.body in PERMANENT,
                retry_after=timedelta(seconds=float(wait)) if wait else None,
            )
        return "ok"


class SlackTokenSender:
    """A bot; `channel` is used where the message names no recipient."""

    def __init__(self, token: str, channel: str | None, base_url: str | None = None) -> None:
        options = {"base_url": base_url} if base_url else {}
        self.client = WebClient(token=token, timeout=int(TIMEOUT_SECONDS), **options)
        self.channel = channel

    def send(self, message: Message) -> str:
        body = as_slack(message.payload)
        channel = message.recipient or self.channel
        if not channel:
            raise DeliveryError("Slack: neither the recipient nor the receiver has a channel", permanent=True)
        try:
            response = self.client.chat_postMessage(channel=channel, text=body["text"], blocks=body["blocks"])
        except SlackApiError as error:
            wait = error.response.headers.get("Retry-After") if error.response.status_code == TOO_MANY else None
            raise DeliveryError(
                f"Slack: {error.response.get('error')}",
                permanent=error.response.get("error") in PERMANENT,
                retry_after=timedelta(seconds=float(wait)) if wait else None,
            ) from error
        except (OSError, SlackClientError) as error:
            raise DeliveryError(f"Slack: {type(error).__name__}: {error}") from error
        return f"{response.get('channel')} {response.get('ts')}"
