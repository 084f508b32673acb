"""PagerDuty, Events API v2. The group is the deduplication key: a repeat updates, and a resolve closes, the same
page."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
from pagerduty import EventsApiV2Client
from pagerduty.errors import Error as PagerDutyError

from ops_project.operations.alerting.rendering.lines import as_text, facts, run_link
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError
from ops_project.operations.ledger.outbox import Message

SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
SUMMARY_LENGTH = 1024
BAD_REQUEST = 400
TOO_MANY = 429


class PagerDutySender:
    """One integration key."""

    def __init__(self, routing_key: str, url: str | None = None) -> None:
        options: dict[str, Any] = {"base_url": url}
        if url is not None and url.startswith("http://"):
            # The client insists on https; a relay in one's own network need not have it.
            options = {"transport": _Relay(url)}
        self.client = EventsApiV2Client(routing_key, timeout=TIMEOUT_SECONDS, **options)
        # The outbox retries, with its own backoff, and must not be held up by a client that sleeps: by default this one
        # tries again for ever on 429. A limit below the first attempt makes it hand the answer back at once.
        self.client.retry = {TOO_MANY: 1}
        self.client.max_http_attempts = -1
        self.client.max_network_attempts = 0

    def send(self, message: Message) -> str:
        payload = message.payload
        key = dedup_key(message)
        try:
            if message.kind == "acknowledge":
                return self.client.acknowledge(key)
            if payload["status"] == "resolved":
                return self.client.resolve(key)
            return self.client.send_event("trigger", dedup_key=key, **event(payload))
        except (PagerDutyError, httpx.HTTPError, OSError) as error:
            response = getattr(error, "response", None)
            status = getattr(response, "status_code", None)
            raise DeliveryError(
                f"PagerDuty: {status or type(error).__name__}: {str(error)[:300]}", permanent=status == BAD_REQUEST
            ) from error


class _Relay(httpx.HTTPTransport):
    """Sends what is meant for PagerDuty to a plain-text relay."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.relay = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self.relay.host, port=self.relay.port)
        return super().handle_request(request)


def dedup_key(message: Message) -> str:
    """The same for every message of one group and recipient."""
    return f"ops-{message.group or message.key}-{message.recipient}".rstrip("-")


def event(payload: dict[str, Any]) -> dict[str, Any]:
    """The body of a trigger."""
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
