"""Decides which firing alerts are silent and because of which cause, and which are sent although they have a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.model.alerting.calendar import Maintenance
from ops_project.model.alerting.silence import Silence
from ops_project.operations.alerting.decide.causes import came_together
from ops_project.operations.alerting.decide.inhibition import subjects
from ops_project.operations.alerting.decide.intervals import any_holds
from ops_project.operations.alerting.decide.kept_alerts import SLA_LABEL
from ops_project.operations.alerting.decide.lifecycle import store
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.silences import Quiet, silenced
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State


def mark_sla_risk(decision: Decision, config: AlertConfig) -> None:
    """Label the alerts that endanger a service level. Such an alert is not delayed on a holiday."""
    state, memory = decision.state, decision.look()
    found: set[str] = set()
    for number in memory.alerts.promised:
        alert = state.alerts[number]
        sla = config.slas.get(alert.labels.get(SLA_LABEL, ""))
        if sla is not None and alert.status == FIRING:
            for asset in sla.assets:
                found |= {asset, *config.lineage.ancestors(asset)}
    endangered = frozenset(found)
    news = memory.alerts.news_for("mark_sla_risk")
    numbers = news & state.alerts.keys() if endangered == memory.endangered else state.alerts.keys()
    memory.endangered = endangered
    for alert in [state.alerts[number] for number in sorted(numbers)]:
        risky = (
            "true"
            if alert.open and (SLA_LABEL in alert.labels or endangered.intersection(subjects(alert)))
            else "false"
        )
        if alert.labels and alert.status != RESOLVED and alert.labels.get("sla_at_risk") != risky:
            store(decision, replace(alert, labels={**alert.labels, "sla_at_risk": risky}))


def mute(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Decide for each firing alert whether it is silent, and because of which cause.

    A symptom that came together with its cause is silent, because the message about the cause lists it. A symptom is
    sent once by itself if it came later, or if its cause was silenced before any message listed the symptom.
    """
    decision.begin(config, now)
    state, memory = decision.state, decision.look()
    news = memory.alerts.news_for("mute")
    again = memory.inhibitions.update({number: state.alerts.get(number) for number in news}) if news else set()
    causes = memory.inhibitions.found
    active = [silence for silence in state.silences.values() if silence.active(now)]
    # The maintenance windows that apply now are computed once for all alerts.
    held = {n: w for n, w in config.maintenance.items() if any_holds(w.intervals, config.intervals, now)}
    told = cache(lambda: _told(state))
    if memory.quiet != (active, list(held)):
        again = set(state.alerts)
    elif again or memory.log.news_for("mute"):
        # Whether an alert is silent also depends on its cause, and on whether anybody was told.
        again |= causes.keys()
    memory.quiet = active, list(held)
    for alert in [state.alerts[number] for number in sorted(again & state.alerts.keys())]:
        if alert.status != FIRING:
            continue
        cause, why, detail, suspect = None, "", "", alert.suspect
        quiet: Quiet | None = None
        if alert.number in causes:
            cause, reason = _spoken_for(alert.number, causes)
            if reason is AlertReason.INHIBITED_BY_CAUSE and suspect is None:
                source = state.alerts[cause]
                if not came_together(source, alert, config.graph.together) or (
                    _silenced(source, active, held, config, now) is not None
                    and (alert.cause != cause or alert.number not in told())
                ):
                    suspect = cause
                    decision.note(alert.number, now, AlertReason.SUSPECTED_CAUSE, f"alert {cause}")
            if reason is not AlertReason.INHIBITED_BY_CAUSE or suspect is None:
                why, detail = reason.value, f"alert {cause}"
        # A person's silence takes precedence. If a person has silenced a symptom, no message about its cause is sent
        # because of it.
        if (quiet := _silenced(alert, active, held, config, now)) is not None:
            why, detail = quiet.reason.value, quiet.name
        if (alert.cause, alert.muted, alert.suspect) != (cause, why, suspect):
            if alert.muted != why or (why and alert.cause != cause):
                decision.note(alert.number, now, AlertReason(why) if why else AlertReason.NO_LONGER_MUTED, detail)
            store(decision, replace(alert, cause=cause, muted=why, suspect=suspect))


def _told(state: State) -> frozenset[int]:
    """The numbers of the alerts that at least one recipient was told of, in full or in a list."""
    return frozenset(number for entry in state.log.values() for number in entry.firing)


def _silenced(
    alert: Alert, active: Sequence[Silence], held: Mapping[str, Maintenance], config: AlertConfig, now: datetime
) -> Quiet | None:
    return silenced(alert.labels, active, held, config.intervals, now) if active or held else None


def _spoken_for(number: int, causes: Mapping[int, tuple[int, AlertReason]]) -> tuple[int, AlertReason]:
    """The alert whose message also covers this one, and the reason. It is the cause of this alert. If a rule silences
    that cause, it is the alert that silences the cause.
    """
    cause, reason = causes[number]
    seen = {number}
    while cause in causes and cause not in seen and causes[cause][1] is AlertReason.INHIBITED_BY_RULE:
        seen.add(cause)
        cause = causes[cause][0]
    return (cause, reason) if cause not in seen else causes[number]
