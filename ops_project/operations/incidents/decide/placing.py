"""Finds the incident that an alert belongs to: an open one, a recent one that the alert reopens, or a new one. Whether
an alert is related to an incident depends on the asset graph, and never on the alert's name. Several incidents can be
open at the same time.
"""

from __future__ import annotations

from datetime import timedelta

from ops_project.model.alerting.alert import Alert
from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.incidents.decide.joining import join
from ops_project.operations.incidents.decide.opening import open_incident, reopen_incident
from ops_project.operations.incidents.decide.turn import Turn


def place(turn: Turn, alert: Alert) -> None:
    """Let the alert join an incident, reopen one, or open one. An alert that already belongs to an incident stays
    there.
    """
    if alert.number in turn.known and not _fired_again(turn, alert):
        return
    priority = turn.setting.priority_of(alert)
    home = _related(turn, alert)
    if home is not None:
        before = turn.home_of(alert.number)
        if priority or before is None or before.number != home.number:
            turn.book.put(join(turn, home, alert, priority))
        return
    # A symptom that came later than its suspected cause has a message of its own. So it can also open an incident.
    if not priority or (alert.cause is not None and alert.muted):
        return
    relapse = _relapse(turn, alert)
    turn.book.put(open_incident(turn, alert, priority) if relapse is None else reopen_incident(turn, relapse, alert))


def _fired_again(turn: Turn, alert: Alert) -> bool:
    """Whether an alert that belongs to an incident has ended and now fires again. The number of the alert does not show
    this: an alert keeps its number until people have been told that it ended, which quiet hours can delay by days.
    """
    before = turn.home_of(alert.number)
    if before is None:
        return False
    if (before.number, alert.number) not in turn.counted:
        return True
    # A person ended the incident while the alert was firing. The alert counts again only after it has ended and fired
    # anew.
    return before.resolved_at is not None and alert.fired_at is not None and alert.fired_at > before.resolved_at


def _related(turn: Turn, alert: Alert) -> Incident | None:
    """The open incident to which this alert belongs; None if there is none. It is the incident of the alert's cause or
    run, or an incident about a table upstream or downstream.
    """
    for number in (alert.number, alert.cause):
        found = turn.home_of(number)
        if found is not None and found.open:
            return found
    mine, lineage = turn.setting.assets_of(alert), turn.setting.lineage
    reaches = [mine, *(lineage.ancestors(asset) for asset in mine), *(lineage.descendants(asset) for asset in mine)]
    return turn.book.open_one(alert.key, reaches, None if mine else alert.labels.get("pipeline", ""))


def _relapse(turn: Turn, alert: Alert) -> Incident | None:
    """The incident about the same fault that ended recently enough to be reopened; None if there is none."""
    recent = [
        incident
        for incident in turn.book.with_key(alert.key)
        if incident.resolved_at is not None
        and turn.now - incident.resolved_at <= timedelta(seconds=incident.policy.reopen_seconds)
    ]
    return max(recent, key=lambda i: i.resolved_at or turn.now, default=None)
