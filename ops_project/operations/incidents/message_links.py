"""Adds links to a message just before it is sent, so that the ledger never stores them. If the key cannot be used, the
message is sent without links and says why.
"""

from __future__ import annotations

from dataclasses import replace

from ops_project.model.owner import Owners, Person
from ops_project.operations.incidents.links import KeyExposed, key, links_for
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.outbox import Message
from ops_project.process import serve_address
from ops_project.settings import Settings

DEFAULT_URL = "http://127.0.0.1:3080"
KINDS = ("alert", "incident")


def serve_url(settings: Settings) -> tuple[str, bool]:
    """The address of `ops serve`, and whether it is certain. The address comes from OPS_SERVE_URL, otherwise from the
    server that is running. If neither is known, the address is only the default, and is not certain.
    """
    known = settings.secret("OPS_SERVE_URL") or serve_address.recall(settings)
    return (known or DEFAULT_URL).rstrip("/"), bool(known)


def with_links(message: Message, ledger: Ledger, settings: Settings, owners: Owners) -> Message:
    """The message with `serve_url`, and with `actions` if it is about an open incident."""
    url, serves = serve_url(settings)
    payload = {**message.payload, "serve_url": url, "serves": serves}
    numbers = [alert["number"] for alert in payload.get("alerts", ()) if alert["status"] != "resolved"]
    if message.kind in KINDS and payload.get("status") == "firing" and not payload.get("digest"):
        found = payload.get("incident") or next(iter(ledger.incidents_of(numbers).values()), None)
        incident = ledger.incident(found) if found else None
        if incident is not None and incident.open:
            payload["incident"] = incident.number
            payload["evidence"] = next((kept["body"] for kept in ledger.evidence(incident.number, "diagnosis")), "")
            try:
                signed = links_for(
                    message.key,
                    incident.number,
                    _reader(message.recipient, owners),
                    message.created_at,
                    key(settings.links),
                )
            except (KeyExposed, OSError) as error:
                payload["actions_missing"] = str(error)
            else:
                base = payload["serve_url"]
                payload["actions"] = [{"label": label, "url": f"{base}/act/{text}"} for label, text in signed]
    return replace(message, payload=payload)


def _reader(recipient: str, owners: Owners) -> str:
    """The person who alone reads the message; empty if there may be several readers."""
    found = owners.resolve(recipient) if recipient else None
    return owners.people_of(recipient)[0] if isinstance(found, Person) else ""
