"""Silences the firing alerts of an incident, and no other alerts."""

from __future__ import annotations

from datetime import datetime, timedelta

from ops_project.model.alerting.matcher import Matcher
from ops_project.operations.incidents.decide.incident import Incident, Refused
from ops_project.operations.ledger import Ledger

NAMED = ("asset", "pipeline", "check")


def silence_firing(
    ledger: Ledger, incident: Incident, *, by: str, span: timedelta, why: str, now: datetime
) -> list[int]:
    """Make one silence for each alert of `incident` that fires. Returns the numbers of these alerts. Raises Refused if
    none fires.
    """
    if not incident.firing:
        raise Refused(f"no alert of incident {incident.number} fires: there is nothing to silence")
    made = []
    for number in incident.firing:
        alert = ledger.alert(number)
        if alert is None:
            continue
        labels = {"alertname": alert.rule} | {name: alert.labels[name] for name in NAMED if alert.labels.get(name)}
        matchers = [Matcher(name, "=", value) for name, value in labels.items()]
        made.append(ledger.add_silence(matchers, starts_at=now, ends_at=now + span, owner=by, reason=why, now=now))
    return made
