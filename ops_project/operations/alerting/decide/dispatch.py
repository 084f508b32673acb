"""Decides to which groups a firing alert belongs. It belongs to the groups of its routes. If other alerts are silent
because of it, it also belongs to groups through which their owners are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.operations.alerting.decide.kept_groups import Place, place_of
from ops_project.operations.alerting.decide.moves import Moves, alone
from ops_project.operations.alerting.decide.outside import ends_of, symptoms_of
from ops_project.operations.alerting.decide.reasons import SILENT_UNDER_ANOTHER, AlertReason
from ops_project.operations.alerting.decide.routing import Node, heard_once, match, walk
from ops_project.operations.alerting.decide.state import AlertConfig, Decision

SUSPECTED = "suspected_cause"


def dispatch(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Add firing alerts to the groups of their routes, and remove them from groups that no longer match. If a receiver
    was told of an alert through such a group, it is still told when the alert ends.
    """
    state = decision.state
    _forget_listed(decision)
    everything = config.routes_version != state.routes_version
    homeless: set[str] = set()
    if everything:
        state.routes_version = config.routes_version
        homeless = _keep_known_routes(decision, config)
    memory = decision.look()
    alerts, groups = memory.alerts, memory.groups
    # After the last decision, each firing alert was in its groups. It needs another look only if it has changed, if a
    # group of it is gone, or if other alerts became silent because of it.
    new = alerts.news_for("dispatch") | groups.left
    groups.left = set()
    under = alerts.silent if everything else alerts.silent & decision.changed
    silent = _silent_under([state.alerts[number] for number in sorted(under)])
    numbers = (
        {*state.alerts} if everything else {*decision.changed, *(new - groups.of_alert.keys()), *silent}
    ) & state.alerts.keys()
    moving = [alert for number in sorted(numbers) if (alert := state.alerts[number]).status == FIRING]
    if not moving:
        return
    places = {a.number: _places(config, a, silent.get(a.number, ())) for a in moving}
    moves = Moves(decision, config, now, places, homeless)
    for alert in moving:
        moves.put(alert, sorted(groups.of_alert.get(alert.number, ())))


def _silent_under(alerts: Sequence[Alert]) -> dict[int, list[Alert]]:
    """Number of a cause → the alerts, of those given, that are silent because of the cause."""
    found: dict[int, list[Alert]] = {}
    for alert in alerts:
        if alert.cause is not None and alert.muted in SILENT_UNDER_ANOTHER:
            found.setdefault(alert.cause, []).append(alert)
    return found


def _places(config: AlertConfig, alert: Alert, silent: Sequence[Alert]) -> dict[Place, tuple[Node, Mapping[str, str]]]:
    """The groups to which an alert belongs. `silent`: the alerts that are silent because of it. Their owners may not be
    receivers of this alert's own routes, so they get groups of their own.
    """
    own = heard_once(match(config.tree, alert.labels))
    taken: dict[Place, tuple[Node, Mapping[str, str]]] = {}
    for node in own:
        labels = _labels(node, alert)
        taken[place_of(node.id, labels)] = node, labels
    if alert.muted or not silent:
        return taken
    told = {node.receiver for node in own}
    names = sorted({matcher.name for node in walk(config.tree) for matcher in node.matchers})
    asked: set[tuple[str, ...]] = set()
    for symptom in silent:
        facts = tuple(symptom.labels.get(name, "") for name in names)
        if facts in asked:
            continue  # An earlier symptom has the same routes.
        asked.add(facts)
        for route in heard_once(match(config.tree, symptom.labels)):
            beside = config.nodes.get(symptoms_of(route))
            if beside is not None and beside.receiver not in told:
                told.add(beside.receiver)
                shared = beside.group_labels(alert.labels)
                taken[place_of(beside.id, shared)] = beside, shared
    return taken


def _labels(node: Node, alert: Alert) -> dict[str, str]:
    """The labels that the alerts of the group share. Alerts that came later than their suspected cause share one group,
    so that they are sent together, however many there are.
    """
    if alert.suspect is not None and not node.digest:
        return {SUSPECTED: str(alert.suspect)}
    return node.group_labels(alert.labels)


def _forget_listed(decision: Decision) -> None:
    """Forget that receivers were told of alerts that have ended and now fire again, so that these alerts are sent
    again.

    This also holds for an alert that a message only listed below its cause. The exception is an alert that is silent
    again under the same cause: nobody was told that it had ended, so it is not sent again.
    """
    state = decision.state
    again = {event.alert for event in decision.events if event.reason is AlertReason.FIRED_AGAIN}
    if not again:
        return
    for key, entry in list(state.log.items()):
        if gone := entry.firing & again:
            group = state.groups.get(entry.group)
            members = group.members if group is not None else frozenset()
            if gone := frozenset(n for n in gone - members if not _listed_under(state.alerts.get(n), members)):
                state.log[key] = entry.without(gone)
                decision.log_changed.add(key)


def _listed_under(alert: Alert | None, members: frozenset[int]) -> bool:
    """Whether this alert is silent because of one of `members`. The messages about that member then list this alert."""
    return alert is not None and alert.muted == AlertReason.INHIBITED_BY_CAUSE.value and alert.cause in members


def _keep_known_routes(decision: Decision, config: AlertConfig) -> set[str]:
    """Handle the groups whose routes no longer exist. If a receiver was told of an alert through such a group, it is
    still told when the alert ends. Returns the keys of these groups. If the alerts of a group have another route to the
    same receiver, the group later moves to that route.

    An earlier version named routes by their position. The groups of such routes keep their key.
    """
    state = decision.state
    renamed = {node.former_id: node.id for node in config.nodes.values() if node.former_id}
    homeless: set[str] = set()
    for key, group in list(state.groups.items()):
        if group.route in config.nodes:
            continue
        if group.route in renamed:
            decision.put_group(replace(group, route=renamed[group.route]))
            continue
        # The group does not store its receiver, but the name of each channel begins with the receiver.
        told = next((channel.partition("/")[0] for of, channel, _ in state.log if of == key), "")
        if told in config.receivers:
            decision.put_group(replace(group, route=ends_of(told), labels=alone(key)))
            homeless.add(key)
        else:
            decision.put_group(replace(group, members=frozenset()))
    return homeless
