"""Slack, through an incoming webhook or through a bot with a token. Only a bot can write to the owner's own channel."""

from __future__ import annotations

from ops_project.model.alerting.receiver import SlackChannel
from ops_project.operations.alerting.rendering.slack import as_slack
from ops_project.operations.channels.http import Answer, post, wrong_address
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.channels.variables import SLACK_API, unusable
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings

API = "https://slack.com/api/"
PERMANENT = frozenset({"channel_not_found", "is_archived", "invalid_blocks", "msg_too_long", "not_in_channel"})
# With these answers, Slack refuses the token itself. No message of this channel can be sent until the token is
# replaced.
LOGIN = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})


class SlackWebhookSender:
    """Sends through one incoming webhook. Its Slack channel was chosen when the webhook was created."""

    def __init__(self, url: str, seconds: float = TIMEOUT_SECONDS) -> None:
        self.url, self.seconds = url, seconds

    def send(self, message: Message) -> str:
        answer = post("Slack", self.url, as_slack(message.payload), seconds=self.seconds)
        if answer.status != 200:
            raise DeliveryError(
                f"Slack: {answer.status} {answer.text[:200]}",
                permanent=400 <= answer.status < 500 and answer.text.strip() in PERMANENT,
                retry_after=answer.retry_after(),
            )
        return "ok"


class SlackTokenSender:
    """Sends as a bot. `channel`: the Slack channel for messages that name no recipient."""

    def __init__(
        self, token: str, channel: str | None, base_url: str | None = None, seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.token, self.channel, self.seconds = token, channel, seconds
        self.url = (base_url or API).rstrip("/") + "/chat.postMessage"

    def send(self, message: Message) -> str:
        channel = message.recipient or self.channel
        if not channel:
            raise DeliveryError("Slack: neither the recipient nor the receiver has a channel", permanent=True)
        body = {"channel": channel, **as_slack(message.payload)}
        answer = post("Slack", self.url, body, {"Authorization": f"Bearer {self.token}"}, seconds=self.seconds)
        said = answer.json()
        if not answer.ok or said.get("ok") is not True:
            raise _refused(answer, str(said.get("error") or ""))
        return f"{said.get('channel')} {said.get('ts')}"


def _refused(answer: Answer, error: str) -> DeliveryError:
    return DeliveryError(
        f"Slack: {error or f'{answer.status} {answer.text[:200]}'}",
        permanent=error in PERMANENT,
        retry_after=answer.retry_after(),
        service_down=error in LOGIN,
    )


def missing(channel: SlackChannel, settings: Settings) -> list[str]:
    """The variables that are missing or cannot be used. If neither the token nor the webhook is set, both are returned.
    Otherwise the variable of the address that is used is returned, if its value is not the address of a service.
    """
    if settings.secret(channel.token_env):
        return unusable(settings, {SLACK_API: wrong_address}, {SLACK_API})
    if settings.secret(channel.webhook_env):
        return unusable(settings, {channel.webhook_env: wrong_address})
    return [channel.webhook_env, channel.token_env]


def sender(channel: SlackChannel, settings: Settings) -> SlackTokenSender | SlackWebhookSender:
    """A sender for the bot if its token is set, and for the incoming webhook otherwise."""
    if token := settings.secret(channel.token_env):
        return SlackTokenSender(token, channel.channel, settings.secret(SLACK_API))
    return SlackWebhookSender(settings.secret(channel.webhook_env) or "")
