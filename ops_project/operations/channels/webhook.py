"""Sends JSON to any other system. It has the fields of Alertmanager's webhook (version 4), and beside them our whole
message.
"""

from __future__ import annotations

from typing import Any

from ops_project.model.alerting.receiver import WebhookChannel
from ops_project.operations.alerting.rendering.lines import run_link
from ops_project.operations.channels.http import post, wrong_address
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.channels.variables import unusable
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings

TOO_MANY = 429
CLIENT_ERRORS = range(400, 500)
# With these codes, it may help to send the message again later.
LATER = frozenset({401, 403, 404, 408, 425, TOO_MANY})
NEVER_ENDED = "0001-01-01T00:00:00Z"


class WebhookSender:
    """Sends POST requests to one URL. The header Idempotency-Key lets the other side drop a message that it
    gets twice.
    """

    def __init__(self, url: str, token: str | None = None, seconds: float = TIMEOUT_SECONDS) -> None:
        self.url, self.token, self.seconds = url, token, seconds

    def send(self, message: Message) -> str:
        headers = {"Idempotency-Key": message.key}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = post("webhook", self.url, body(message), headers, seconds=self.seconds)
        if not answer.ok:
            raise DeliveryError(
                f"webhook: {answer.status} {answer.text[:200]}",
                permanent=answer.status in CLIENT_ERRORS and answer.status not in LATER,
                retry_after=answer.retry_after(),
            )
        return str(answer.status)


def body(message: Message) -> dict[str, Any]:
    """The fields of Alertmanager. The facts that have no such field are under `ops`."""
    payload = message.payload
    return {
        "version": "4",
        "groupKey": message.group,
        "truncatedAlerts": 0,
        "status": "resolved" if payload["status"] == "resolved" else "firing",
        "receiver": message.receiver,
        "groupLabels": payload.get("group", {}),
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": payload.get("ui_url", ""),
        "alerts": [
            {
                "status": "resolved" if alert["status"] == "resolved" else "firing",
                "labels": alert["labels"],
                "annotations": {
                    "summary": alert["summary"],
                    "description": alert["message"],
                    "runbook": alert["runbook"],
                },
                "startsAt": alert["since"],
                "endsAt": alert["until"] or NEVER_ENDED,
                "generatorURL": run_link(alert, payload),
                "fingerprint": str(alert["number"]),
            }
            for alert in payload["alerts"]
        ],
        "ops": payload,
    }


def missing(channel: WebhookChannel, settings: Settings) -> list[str]:
    """The variable of the address, if it is not set or is not the address of a service."""
    return unusable(settings, {channel.url_env: wrong_address})


def sender(channel: WebhookChannel, settings: Settings) -> WebhookSender:
    """A sender for the channel's address. If a token is set, it is sent too."""
    token = settings.secret(channel.token_env) if channel.token_env else None
    return WebhookSender(settings.secret(channel.url_env) or "", token)
