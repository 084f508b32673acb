"""Applies a person's acknowledgement to the alert and its page. It only stops repeats: a new alert of the same group,
and the end of the alert, are sent as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Notification, State

PAGERDUTY = "pagerduty"


def told_elsewhere(state: State, config: AlertConfig) -> set[int]:
    """The alerts that were sent through a channel that `config` does not have. Such a channel belongs to another
    configuration.
    """
    known = {name for receiver, found in config.receivers.items() for name, _ in found.named(receiver)}
    return {number for (_, name, _), entry in state.log.items() if name not in known for number in entry.firing}


def take_up(decision: Decision, now: datetime, leave: Collection[int] = ()) -> None:
    """Store new acknowledgements on their alerts, except on the alerts in `leave`."""
    state = decision.state
    for number, given in list(state.acknowledgements.items()):
        if given.told_at is not None or number in leave:
            continue
        state.acknowledgements[number] = replace(given, told_at=now)
        decision.acknowledgements_changed.add(number)
        alert = state.alerts.get(number)
        if alert is None or alert.status != FIRING or given.at < alert.starts_at:
            continue  # Since the acknowledgement, the alert has ended or has fired again.
        if not given.by:
            # A person gave the alert back. Nobody works on it now, so its messages are repeated again.
            state.alerts[number] = replace(alert, acknowledged_at=None, acknowledged_by="", acknowledged_note="")
            decision.changed.add(number)
            decision.note(number, now, AlertReason.UNACKNOWLEDGED, given.note)
            continue
        state.alerts[number] = replace(
            alert, acknowledged_at=given.at, acknowledged_by=given.by, acknowledged_note=given.note
        )
        decision.changed.add(number)
        decision.note(number, now, AlertReason.ACKNOWLEDGED, f"{given.by}: {given.note}" if given.note else given.by)


def acknowledged(alerts: Iterable[Alert]) -> bool:
    """Whether every one of these alerts is acknowledged."""
    return all(alert.acknowledged_at is not None for alert in alerts)


def tell_pagers(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Stop the page of a group if every alert that it reported is acknowledged now.

    This is also needed if this decision sends a message of the group, because each message opens the page again.
    """
    state = decision.state
    fresh = {number for number in decision.acknowledgements_changed if number in state.alerts}
    channels = {
        name: (receiver, channel)
        for receiver, found in config.receivers.items()
        for name, channel in found.named(receiver)
        if channel.type == PAGERDUTY
    }
    if not fresh and not decision.log_changed:
        return
    keys = state.log.keys() if fresh else decision.log_changed & state.log.keys()
    for key in sorted(keys):
        group, name, recipient = key
        entry = state.log[key]
        if name not in channels:
            continue
        told = [state.alerts[number] for number in sorted(entry.firing) if number in state.alerts]
        firing = [alert for alert in told if alert.status == FIRING]
        news = fresh & entry.firing or key in decision.log_changed
        if not news or not firing or not acknowledged(firing):
            continue
        last = max(firing, key=lambda alert: alert.acknowledged_at or now)
        decision.notifications.append(
            Notification(
                key=digest(
                    "acknowledge", group, name, recipient, str(last.number), str(last.acknowledged_at), str(entry.at)
                ),
                kind="acknowledge",
                receiver=channels[name][0],
                channel=name,
                recipient=recipient,
                severity=last.severity,
                reason=AlertReason.ACKNOWLEDGED,
                created_at=now,
                group=group,
                firing=tuple(alert.number for alert in firing),
                payload={
                    "kind": "acknowledge",
                    "status": "acknowledged",
                    "severity": last.severity,
                    "at": now.isoformat(),
                    "subject": f"[acknowledged] {last.summary}, by {last.acknowledged_by}",
                    "text": last.acknowledged_note,
                    "ui_url": config.ui_url,
                    "alerts": [],
                },
            )
        )
