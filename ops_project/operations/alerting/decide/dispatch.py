"""Puts firing alerts into the groups of their routes.

If an alert moves to another group, the record of what was sent moves with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide.grouping import Group, LogEntry, first_flush, next_digest
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node, heard_once, match
from ops_project.operations.alerting.decide.state import AlertConfig, Decision

SUSPECTED = "suspected_cause"
Place = tuple[str, tuple[tuple[str, str], ...]]
LogKey = tuple[str, str, str]


def dispatch(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Add firing alerts to the groups of their routes, and remove them from groups that no longer match."""
    state = decision.state
    _forget_listed(decision)
    version = digest(*(f"{node.id}|{node.receiver}|{node.group_by}|{node.continues}" for node in config.nodes.values()))
    everything = version != state.routes_version
    if everything:
        state.routes_version = version
        _keep_known_routes(decision, config)
    firing = [alert for _, alert in sorted(state.alerts.items()) if alert.status == FIRING]
    grouped: dict[int, set[str]] = {}
    for key, group in state.groups.items():
        for number in group.members:
            grouped.setdefault(number, set()).add(key)
    moving = [a for a in firing if everything or a.number in decision.changed or a.number not in grouped]
    if not moving:
        return
    told: dict[str, set[LogKey]] | None = None
    at = {_place(group.route, group.labels): key for key, group in state.groups.items()}
    for alert in moving:
        taken: dict[Place, tuple[Node, dict[str, str]]] = {}
        for node in heard_once(match(config.tree, alert.labels)):
            labels = _labels(node, alert)
            taken[_place(node.id, labels)] = node, labels
        held = grouped.setdefault(alert.number, set())
        left = [k for k in sorted(held) if _place(state.groups[k].route, state.groups[k].labels) not in taken]
        for place, (node, labels) in taken.items():
            known = at.get(place)
            if known is not None and alert.number in state.groups[known].members:
                continue
            before = next((k for k in left if config.nodes[state.groups[k].route].receiver == node.receiver), None)
            if known is None and before is not None and state.groups[before].members == {alert.number}:
                # The group keeps its key when it moves, because a pager knows the group by its key.
                left.remove(before)
                key = before
                due = min(state.groups[before].next_flush, now + node.group_wait)
                due = next_digest(node.digest, config.zone, now) if node.digest else due
                set_group(decision, replace(state.groups[before], route=node.id, labels=labels, next_flush=due))
            else:
                key = known or _free_key(decision, node.group_key(labels))
                _join(decision, config, key=key, node=node, labels=labels, alert=alert, now=now)
                if before is not None:
                    told = _told(decision) if told is None else told
                    _carry(decision, told.get(before, set()), key, alert.number)
                    told.setdefault(key, set()).update((key, c, r) for _, c, r in told.get(before, ()))
            at[place] = key
            held.add(key)
            decision.note(alert.number, now, AlertReason.ROUTED, _way(node))
        for key in left:
            held.discard(key)
            group = state.groups[key]
            set_group(decision, replace(group, members=group.members - {alert.number}))
            if key not in state.groups:
                at.pop(_place(group.route, group.labels), None)


def _way(node: Node) -> str:
    """The receiver, and which alerts the route to it takes."""
    takes = ", ".join(map(str, node.matchers)) or "every alert that no branch takes"
    return f"{node.receiver}, whose route takes {takes}"


def _labels(node: Node, alert: Alert) -> dict[str, str]:
    """The labels that the group's alerts share. Alerts that came later under one suspected cause are sent together,
    however many there are.
    """
    if alert.suspect is not None and not node.digest:
        return {SUSPECTED: str(alert.suspect)}
    return node.group_labels(alert.labels)


def _place(route: str, labels: Mapping[str, str]) -> Place:
    return route, tuple(sorted(labels.items()))


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


def _free_key(decision: Decision, key: str) -> str:
    """A key for a new group. The usual key may be in use by a group that moved as a whole, because such a group keeps
    its key.
    """
    while key in decision.state.groups:
        key = digest(key, "another")
    return key


def _keep_known_routes(decision: Decision, config: AlertConfig) -> None:
    """Remove the groups of routes that no longer exist.

    Groups that an earlier version named by position keep their key.
    """
    renamed = {node.former_id: node.id for node in config.nodes.values()}
    for key, group in list(decision.state.groups.items()):
        if group.route in config.nodes:
            continue
        if group.route in renamed:
            set_group(decision, replace(group, route=renamed[group.route]))
        else:
            del decision.state.groups[key]
            decision.groups_changed.discard(key)
            decision.groups_dropped.add(key)


def _join(
    decision: Decision,
    config: AlertConfig,
    *,
    key: str,
    node: Node,
    labels: Mapping[str, str],
    alert: Alert,
    now: datetime,
) -> None:
    existing = decision.state.groups.get(key)
    if existing is not None:
        set_group(decision, replace(existing, members=existing.members | {alert.number}))
        return
    due = first_flush(node, config.zone, alert.fired_at or alert.starts_at, now)
    set_group(
        decision,
        Group(
            key=key,
            route=node.id,
            labels=dict(labels),
            members=frozenset({alert.number}),
            created_at=now,
            next_flush=due,
        ),
    )


def _told(decision: Decision) -> dict[str, set[LogKey]]:
    """Group → its entries in the notification log."""
    found: dict[str, set[LogKey]] = {}
    for key in decision.state.log:
        found.setdefault(key[0], set()).add(key)
    return found


def _carry(decision: Decision, entries: set[LogKey], after: str, number: int) -> None:
    """An alert that a receiver was told of in its earlier group counts as told in the group `after`."""
    log = decision.state.log
    for before in sorted(entries):
        entry = log.get(before)
        if entry is None or number not in entry.firing:
            continue
        _, channel, recipient = before
        known = log.get((after, channel, recipient))
        base = known or LogEntry(
            group=after,
            channel=channel,
            recipient=recipient,
            firing=frozenset(),
            resolved=frozenset(),
            at=entry.at,
            expires_at=entry.expires_at,
        )
        log[after, channel, recipient] = base.with_alert(number, entry.told_at(number))
        log[before] = entry.without(frozenset({number}))
        decision.log_changed |= {(after, channel, recipient), before}


def set_group(decision: Decision, group: Group) -> None:
    if group.members:
        decision.state.groups[group.key] = group
        decision.groups_changed.add(group.key)
        decision.groups_dropped.discard(group.key)
    else:
        decision.state.groups.pop(group.key, None)
        decision.groups_changed.discard(group.key)
        decision.groups_dropped.add(group.key)
