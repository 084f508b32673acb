"""PagerDuty, with its Events API v2. The deduplication key is made from the group. So a repeated message updates the
page, and a resolve closes it.
"""

from __future__ import annotations

from typing import Any

from ops_project.model.alerting.receiver import PagerDutyChannel
from ops_project.operations.alerting.rendering.lines import as_text, facts, run_link
from ops_project.operations.channels.http import post, wrong_address
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.channels.variables import unusable
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings

EVENTS = "https://events.pagerduty.com"
SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
SUMMARY_LENGTH = 1024
BAD_REQUEST = 400


class PagerDutySender:
    """Sends through one integration key. `url`: the address of another region, or of a relay in your own network."""

    def __init__(self, routing_key: str, url: str | None = None, seconds: float = TIMEOUT_SECONDS) -> None:
        self.routing_key, self.seconds = routing_key, seconds
        self.url = (url or EVENTS).rstrip("/") + "/v2/enqueue"

    def send(self, message: Message) -> str:
        payload = message.payload
        action: dict[str, Any] = {"event_action": "acknowledge"}
        if message.kind != "acknowledge":
            resolved = payload["status"] == "resolved"
            action = {"event_action": "resolve"} if resolved else {"event_action": "trigger", **event(payload)}
        body = {"routing_key": self.routing_key, "dedup_key": dedup_key(message), **action}
        answer = post("PagerDuty", self.url, body, seconds=self.seconds)
        if not answer.ok:
            raise DeliveryError(
                f"PagerDuty: {answer.status}: {answer.text[:300]}",
                permanent=answer.status == BAD_REQUEST,
                retry_after=answer.retry_after(),
            )
        return str(answer.json().get("dedup_key") or answer.status)


def dedup_key(message: Message) -> str:
    """The deduplication key. It is the same for all messages of one group to one recipient."""
    return f"ops-{message.group or message.key}-{message.recipient}".rstrip("-")


def event(payload: dict[str, Any]) -> dict[str, Any]:
    """The body of a request that opens or updates a page."""
    first = next((alert for alert in payload["alerts"]), None)
    details: dict[str, Any] = {"text": as_text(payload)}
    links = []
    if first is not None:
        details |= dict(facts(first, payload))
        if link := run_link(first, payload):
            links.append({"href": link, "text": "Run in Dagster"})
    return {
        "payload": {
            "summary": str(payload["subject"])[:SUMMARY_LENGTH],
            "source": (first["assets"][0] if first and first["assets"] else first["pipeline"] if first else "")
            or "ops",
            "severity": SEVERITIES[str(payload["severity"])],
            "timestamp": payload["at"],
            "component": first["domain"] if first else "",
            "group": first["pipeline"] if first else "",
            "class": first["failure_class"] if first else "",
            "custom_details": details,
        },
        "links": links,
        "client": "ops",
    }


def missing(channel: PagerDutyChannel, settings: Settings) -> list[str]:
    """The variable of the routing key, if it is not set or contains a blank. Also the variable of the address, if it is
    set and is not the address of a service.
    """
    wanted = {channel.routing_key_env: _wrong_key, channel.url_env: wrong_address}
    return unusable(settings, wanted, {channel.url_env})


def sender(channel: PagerDutyChannel, settings: Settings) -> PagerDutySender:
    """A sender for one integration of PagerDuty, or of a relay in your own network."""
    return PagerDutySender(settings.secret(channel.routing_key_env) or "", settings.secret(channel.url_env))


def _wrong_key(value: str) -> str:
    return "it contains a blank" if len(value.split()) != 1 or value != value.strip() else ""
