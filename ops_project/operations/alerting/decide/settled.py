"""Groups that have nothing to send: until when they can be skipped, and what makes them due at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide.grouping import (
    Group,
    Settled,
    following_flush,
)
from ops_project.operations.alerting.decide.moves import set_group
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State


def parts(config: AlertConfig, state: State, group: Group, others: messages.Around) -> tuple[object, ...]:
    """Everything that the result for a group depends on, except the time and the texts of its alerts."""
    members = sorted(group.members)
    alerts = (state.alerts.get(number) for number in members)
    return (
        config.token,
        tuple((a.number, a.status, a.muted, a.updated_at, a.acknowledged_at) for a in alerts if a is not None),
        tuple(len(others.under.get(number, ())) for number in members),
    )


def unsettle(decision: Decision) -> None:
    """A group with a changed alert is looked at again in its next regular flush."""
    state = decision.state
    if not decision.changed:
        return
    for key, known in list(state.settled.items()):
        group = state.groups.get(key)
        if group is None:
            del state.settled[key]
        elif known.parts and group.members & decision.changed:
            state.settled[key] = replace(known, parts=())


def make_due(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """If an alert got a further date, its groups become due at once. A digest keeps its hour."""
    state = decision.state
    for key, group in list(state.groups.items()):
        if group.members & decision.joined and not config.nodes[group.route].digest:
            state.settled.pop(key, None)
            set_group(decision, replace(group, next_flush=min(group.next_flush, now)))


def is_settled(state: State, config: AlertConfig, group: Group, others: messages.Around, now: datetime) -> bool:
    """Whether nothing can be due in this group: its regular flush has not come, or would find nothing."""
    known = state.settled.get(group.key)
    if known is None or known.at > now:
        return False
    if known.next > now:
        return True
    if known.until <= now or known.parts != parts(config, state, group, others):
        return False
    following = following_flush(config.nodes[group.route], config.zone, now)
    state.settled[group.key] = Settled(known.parts, known.at, following, known.until)
    return True
