"""Decides which groups of alerts are looked at now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.operations.alerting.decide.grouping import Group, following_flush
from ops_project.operations.alerting.decide.state import AlertConfig, Decision


def make_due(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """If an alert got a further date, make its groups due at once. A digest keeps its hour."""
    groups = decision.state.memory.groups
    for key in sorted({key for number in decision.joined for key in groups.of_alert.get(number, ())}):
        group = decision.state.groups[key]
        if not config.nodes[group.route].digest:
            decision.put_group(replace(group, next_flush=min(group.next_flush, now)))
            groups.settled.forget(key)


def groups_due(decision: Decision, config: AlertConfig, now: datetime) -> list[tuple[datetime, str, Group]]:
    """The groups that are looked at now, in the order in which they became due."""
    state = decision.state
    settled = decision.state.memory.groups.settled
    if config.flush_now:
        keys = {k for k, group in state.groups.items() if not config.nodes[group.route].digest}
        keys |= {key for key in state.groups.keys() - keys if state.groups[key].next_flush <= now}
    else:
        settled.take_due(now, lambda route: following_flush(config.nodes[route], config.zone, now))
        keys = {key for key in settled.unsettled if state.groups[key].next_flush <= now}
    due = [(state.groups[key].next_flush, key, state.groups[key]) for key in keys]
    for key in keys:
        settled.forget(key)
    due.sort(key=lambda item: item[:2])
    return due
