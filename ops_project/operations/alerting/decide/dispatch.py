"""Decides to which groups firing alerts belong: to the groups of their routes, and to the groups through which the
owners of the alerts that are silent under them are told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide.moves import Moves, Place, place_of, set_group
from ops_project.operations.alerting.decide.outside import ends_of, symptoms_of
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node, heard_once, match, walk
from ops_project.operations.alerting.decide.state import AlertConfig, Decision

SUSPECTED = "suspected_cause"
SILENT_UNDER_ANOTHER = (AlertReason.INHIBITED_BY_CAUSE.value, AlertReason.INHIBITED_BY_RULE.value)


def dispatch(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Add firing alerts to the groups of their routes, and remove them from groups that no longer match. A receiver
    to which such a group reported an alert is still told when the alert ends.
    """
    state = decision.state
    _forget_listed(decision)
    tree = walk(config.tree)
    version = digest(*(f"{node.id}|{node.receiver}|{node.group_by}|{node.continues}" for node in tree))
    everything = version != state.routes_version
    homeless: set[str] = set()
    if everything:
        state.routes_version = version
        homeless = _keep_known_routes(decision, config)
    firing = [alert for _, alert in sorted(state.alerts.items()) if alert.status == FIRING]
    grouped: dict[int, set[str]] = {}
    for key, group in state.groups.items():
        for number in group.members:
            grouped.setdefault(number, set()).add(key)
    silent = _silent_under(firing, None if everything else decision.changed)
    moving = [
        a for a in firing if everything or a.number in decision.changed or a.number not in grouped or a.number in silent
    ]
    if not moving:
        return
    places = {a.number: _places(config, a, silent.get(a.number, ())) for a in moving}
    moves = Moves(decision, config, now, places, homeless)
    for alert in moving:
        moves.put(alert, grouped.get(alert.number, ()))


def _silent_under(firing: Sequence[Alert], changed: Collection[int] | None) -> dict[int, list[Alert]]:
    """Cause → the alerts that are silent under it. If `changed` is given, only alerts in `changed` count."""
    found: dict[int, list[Alert]] = {}
    for alert in firing:
        if alert.cause is None or alert.muted not in SILENT_UNDER_ANOTHER:
            continue
        if changed is None or alert.number in changed:
            found.setdefault(alert.cause, []).append(alert)
    return found


def _places(config: AlertConfig, alert: Alert, silent: Sequence[Alert]) -> dict[Place, tuple[Node, Mapping[str, str]]]:
    """The groups to which an alert belongs. `silent`: alerts that are silent under this alert. Their owners may not be
    receivers of its own routes.
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
    """The labels that the group's alerts share. Alerts that came later under one suspected cause are sent together,
    however many there are.
    """
    if alert.suspect is not None and not node.digest:
        return {SUSPECTED: str(alert.suspect)}
    return node.group_labels(alert.labels)


def _forget_listed(decision: Decision) -> None:
    """Forget that receivers were told of alerts that have ended and fire again, so that the alerts are sent again. This
    also applies to an alert that a message only listed under its cause. If it is still silent under the same cause, it
    is not sent again, because nobody was told that it had ended.
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
    """Whether the messages about these alerts list this one as silent under them."""
    return alert is not None and alert.muted == AlertReason.INHIBITED_BY_CAUSE.value and alert.cause in members


def _keep_known_routes(decision: Decision, config: AlertConfig) -> set[str]:
    """Find the groups of routes that no longer exist. A receiver to which such a group reported an alert is still told
    when the alert ends. Returns the keys of these groups. If the alerts of a group have another route to the same
    receiver, the group moves to that route.

    Groups that an earlier version named by position keep their key.
    """
    state = decision.state
    renamed = {node.former_id: node.id for node in config.nodes.values() if node.former_id}
    homeless: set[str] = set()
    for key, group in list(state.groups.items()):
        if group.route in config.nodes:
            continue
        if group.route in renamed:
            set_group(decision, replace(group, route=renamed[group.route]))
            continue
        # The route itself is not stored, but each channel's name begins with its receiver.
        told = next((channel.partition("/")[0] for of, channel, _ in state.log if of == key), "")
        if told in config.receivers:
            set_group(decision, replace(group, route=ends_of(told)))
            homeless.add(key)
        else:
            set_group(decision, replace(group, members=frozenset()))
    return homeless
