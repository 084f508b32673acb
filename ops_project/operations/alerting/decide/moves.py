"""Puts firing alerts into groups one after the other. The record of what was sent moves with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide.grouping import Group, LogEntry, LogKey, first_flush, next_digest
from ops_project.operations.alerting.decide.kept_groups import Place, place_of
from ops_project.operations.alerting.decide.outside import ends_of
from ops_project.operations.alerting.decide.reasons import SILENT_UNDER_ANOTHER, AlertReason
from ops_project.operations.alerting.decide.routing import ENDS, SYMPTOMS, Node
from ops_project.operations.alerting.decide.state import AlertConfig, Decision

Places = Mapping[Place, tuple[Node, Mapping[str, str]]]


def alone(key: str) -> dict[str, str]:
    """The labels of a group that shares its place with no other group."""
    return {"group": key}


@dataclass
class Moves:
    """The moves of one decision."""

    decision: Decision
    config: AlertConfig
    now: datetime
    places: Mapping[int, Places]
    """Number of each alert that may move → the groups to which it now belongs."""
    homeless: set[str]
    """Groups whose route no longer exists, as long as no alert has moved them to another route."""

    def __post_init__(self) -> None:
        self._groups = self.decision.state.groups
        self._kept = self.decision.look()
        self._some_stay: dict[str, bool] = {}

    def put(self, alert: Alert, held: Collection[str]) -> None:
        """Put an alert into its groups. `held`: the groups that have contained it until now."""
        groups, taken = self._groups, self.places[alert.number]
        left = [key for key in sorted(held) if self._is_left(key, taken)]
        beside = [key for key in sorted(held) if key not in left and self._node(key).kind]
        carried: set[str] = set()
        for place, (node, labels) in taken.items():
            known = self._kept.groups.at.get(place)
            if known is not None and alert.number in groups[known].members:
                continue
            before = next((key for key in (*left, *beside) if self._node(key).receiver == node.receiver), None)
            if node.kind and before in beside:
                continue  # The receiver already gets this alert through a route outside the tree.
            if known is None and before is not None and not self._others_stay(before, alert.number):
                # A group that moves as a whole keeps its key, because a pager knows the group by its key.
                due = min(groups[before].next_flush, self.now + node.group_wait)
                due = next_digest(node.digest, self.config.zone, self.now) if node.digest else due
                self._move(before, node.id, labels, due)
                (left if before in left else beside).remove(before)
                key = before
            else:
                key = known or _free_key(self.decision, node.group_key(labels))
                self._join(key, node, labels, alert)
                if before is not None:
                    self._carry(before, key, alert.number)
                    carried.add(before)
            self.decision.note(alert.number, self.now, AlertReason.ROUTED, _way(node))
        for key in left:
            self._leave(key, alert.number)
        for key in carried.intersection(beside):
            self._remove(key, alert.number)

    def _node(self, key: str) -> Node:
        return self.config.nodes[self._groups[key].route]

    def _is_left(self, key: str, taken: Places) -> bool:
        """Whether the alert no longer belongs to this group."""
        group = self._groups[key]
        return key in self.homeless or (not self._node(key).kind and place_of(group.route, group.labels) not in taken)

    def _others_stay(self, key: str, number: int) -> bool:
        """Whether another firing alert stays in a group that the alert `number` leaves."""
        group, alerts = self._groups[key], self.decision.state.alerts
        firing = (n for n in group.members if n in alerts and alerts[n].status == FIRING)
        if self._node(key).kind and key not in self.homeless:
            return any(n != number for n in firing)
        if key not in self._some_stay:
            place = place_of(group.route, group.labels)
            self._some_stay[key] = any(n not in self.places or place in self.places[n] for n in firing)
        return self._some_stay[key]

    def _move(self, key: str, route: str, labels: Mapping[str, str], due: datetime) -> None:
        """Move a whole group to another route. It keeps its key."""
        self.decision.put_group(replace(self._groups[key], route=route, labels=dict(labels), next_flush=due))
        self.homeless.discard(key)
        self._some_stay[key] = True

    def _leave(self, key: str, number: int) -> None:
        """Take an alert out of a group when no other group takes its place. If a receiver was told of the alert through
        this group, it is still told when the alert ends.
        """
        node = self._node(key)
        if node.kind == ENDS:
            return
        log = self.decision.state.log
        if any(number in log[entry].firing for entry in self._entries(key) if entry in log):
            if not self._others_stay(key, number):
                self._move(key, ends_of(node.receiver), alone(key), self._groups[key].next_flush)
                return
            ends = self.config.nodes[ends_of(node.receiver)]
            new = _free_key(self.decision, digest(ends.id, key, str(number)))
            own = Group(
                key=new,
                route=ends.id,
                labels=alone(new),
                members=frozenset({number}),
                created_at=self.now,
                next_flush=self.now + ends.group_wait,
            )
            self.decision.put_group(own)
            self._carry(key, new, number)
        self._remove(key, number)

    def _remove(self, key: str, number: int) -> None:
        group = self._groups[key]
        self.decision.put_group(replace(group, members=group.members - {number}))

    def _join(self, key: str, node: Node, labels: Mapping[str, str], alert: Alert) -> None:
        existing = self._groups.get(key)
        if existing is not None:
            self.decision.put_group(replace(existing, members=existing.members | {alert.number}))
            return
        self.decision.put_group(
            Group(
                key=key,
                route=node.id,
                labels=dict(labels),
                members=frozenset({alert.number}),
                created_at=self.now,
                next_flush=first_flush(node, self.config.zone, alert.fired_at or alert.starts_at, self.now),
            ),
        )

    def _entries(self, key: str) -> set[LogKey]:
        """The entries of a group in the notification log."""
        return self._kept.log.of_group.get(key, set())

    def _carry(self, before: str, after: str, number: int) -> None:
        """Move the record of what was sent: a receiver who was told of the alert through the group `before` counts as
        told through the group `after`. What a message about a cause listed is recorded where the cause is. So the
        symptoms of this alert move with it, and the record of a symptom also stays if its cause stays.
        """
        log, alerts = self.decision.state.log, self.decision.state.alerts
        cause = alerts[number].cause if alerts[number].muted in SILENT_UNDER_ANOTHER else None
        for old in sorted(self._entries(before)):
            entry = log.get(old)
            if entry is None or number not in entry.firing:
                continue
            _, channel, recipient = old
            new = (after, channel, recipient)
            base = log.get(new) or LogEntry(
                group=after,
                channel=channel,
                recipient=recipient,
                firing=frozenset(),
                resolved=frozenset(),
                at=entry.at,
                expires_at=entry.expires_at,
            )
            listed = {n for n in entry.firing if n in alerts and alerts[n].cause == number}
            for told in sorted({number, *listed}):
                base = base.with_alert(told, entry.told_at(told))
            log[new] = base
            gone = listed - (self._groups[before].members if before in self._groups else frozenset())
            log[old] = entry.without(frozenset(gone if cause in entry.firing else {number, *gone}))
            self.decision.log_changed |= {new, old}
            self._kept.log.follow(new, log[new])
            self._kept.log.follow(old, log[old])


def _way(node: Node) -> str:
    """The receiver in words, with the alerts that the route to it takes."""
    if node.kind == SYMPTOMS:
        return f"{node.receiver}, for the owners of alerts that are silent under it"
    takes = ", ".join(map(str, node.matchers)) or "every alert that no branch takes"
    return f"{node.receiver}, whose route takes {takes}"


def _free_key(decision: Decision, key: str) -> str:
    """A key for a new group. The usual key may be taken by a group that has moved, because such a group keeps
    its key.
    """
    while key in decision.state.groups:
        key = digest(key, "another")
    return key
