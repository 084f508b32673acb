"""Turns a call of an escalation ladder into messages for the outbox, one for each channel of the receiver
`escalation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ops_project.counted import counted
from ops_project.model.alerting.alert import FIRING
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.recipients import address, owner_name
from ops_project.operations.alerting.decide.state import AlertConfig, Notification
from ops_project.operations.incidents.decide.incident import Call, Incident
from ops_project.operations.ledger.holds import Hold

RECEIVER = "escalation"
LISTED = 5


def receiver_of(config: AlertConfig) -> str:
    """The receiver for the calls of ladders: `escalation`, otherwise a receiver that pages, otherwise that of the root
    route.
    """
    if RECEIVER in config.receivers:
        return RECEIVER
    return next((name for name, found in config.receivers.items() if found.page), config.tree.receiver)


def notifications_of(
    call: Call, incident: Incident, around: messages.Around, config: AlertConfig, now: datetime
) -> list[Notification]:
    """The messages of a call: one for each channel and for each person or team that is called. A channel with a single
    reader gets one message. `around`: the facts about all open alerts.
    """
    receiver = receiver_of(config)
    known = (around.alerts.get(number) for number in sorted(incident.firing))
    mine = [alert for alert in known if alert is not None and alert.status == FIRING]
    severity = incident.severity if call.kind == "escalation" else "high"
    channels = [
        (name, channel)
        for name, channel in config.receivers[receiver].named(receiver)
        if name not in config.unconfigured and channel.type not in ("pagerduty", "webhook")
    ]
    payload = {
        "kind": "incident",
        "call": call.kind,
        "status": "resolved" if call.kind == "resolved" else "firing",
        "severity": incident.severity,
        "page": call.page,
        "at": now.isoformat(),
        "subject": call.subject,
        "text": call.text,
        "reason": call.kind,
        "ui_url": config.ui_url,
        "zone": config.zone.key,
        "incident": incident.number,
        "to": [owner_name(who, config) for who in call.who],
        "alerts": [messages.of_alert(alert, around, config) for alert in mine[:LISTED]],
    }
    return [
        Notification(
            key=digest("incident", str(call.incident), call.kind, call.occurrence, name, recipient),
            kind="incident",
            receiver=receiver,
            channel=name,
            recipient=recipient,
            severity=severity,
            reason=AlertReason.ESCALATED,
            created_at=now,
            payload=payload,
        )
        for name, channel in channels
        for recipient in dict.fromkeys("" if channel.one_reader else address(channel, who, config) for who in call.who)
        if recipient is not None
    ]


def notices_of(hold: Hold, assets: Sequence[str], config: AlertConfig, now: datetime) -> list[Notification]:
    """The notices for the person who made a hold, after the hold has passed its limit."""
    receiver = receiver_of(config)
    limit = hold.until or now
    payload = {
        "kind": "hold",
        "status": "notice",
        "severity": "low",
        "at": now.isoformat(),
        "subject": f"[hold] {hold.subject} is on hold past its limit",
        "text": f"{hold.made_by} put {hold.subject} on hold until {limit:%Y-%m-%d %H:%M} UTC: {hold.why}. "
        f"The hold still applies, and {counted(len(assets), 'table is', 'tables are')} not built. "
        f"`ops release {hold.subject}` ends it.",
        "alerts": [],
    }
    return [
        Notification(
            key=digest("hold", str(hold.number), name, recipient),
            kind="hold",
            receiver=receiver,
            channel=name,
            recipient=recipient,
            severity="low",
            reason=AlertReason.HOLD_PAST_LIMIT,
            created_at=now,
            payload=payload,
        )
        for name, channel in config.receivers[receiver].named(receiver)
        if name not in config.unconfigured and channel.type not in ("pagerduty", "webhook")
        if (recipient := address(channel, hold.made_by, config)) is not None
    ]
