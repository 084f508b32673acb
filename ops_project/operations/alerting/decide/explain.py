"""Explains where an alert would go at a given time, and why. It uses the same functions as the alert cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.silence import Silence
from ops_project.operations.alerting.decide import recipients
from ops_project.operations.alerting.decide.grouping import first_flush
from ops_project.operations.alerting.decide.intervals import any_holds
from ops_project.operations.alerting.decide.routing import Step, explain, heard_once, match
from ops_project.operations.alerting.decide.silences import Quiet, silenced
from ops_project.operations.alerting.decide.state import AlertConfig


@dataclass(frozen=True)
class Target:
    """One channel of one route."""

    route: str
    receiver: str
    channel: str
    recipients: tuple[str, ...]
    told_at: datetime | None
    """When a message would be sent through the channel; None if none would be sent at this time."""
    why: str
    page: bool


@dataclass(frozen=True)
class Explanation:
    """The path through the tree, what silences the alert, and who would be told."""

    labels: Mapping[str, str]
    steps: list[Step]
    quiet: Quiet | None
    targets: list[Target]


def explain_route(
    labels: Mapping[str, str], owners: Sequence[str], silences: Sequence[Silence], config: AlertConfig, at: datetime
) -> Explanation:
    """The explanation for an alert with these labels that fires at `at`."""
    alert = Alert(
        number=0,
        key="",
        rule=labels.get("alertname", ""),
        status=FIRING,
        severity=labels.get("severity", "low"),
        labels=labels,
        starts_at=at,
        updated_at=at,
        fired_at=at,
        owners=tuple(owners),
    )
    quiet = silenced(labels, silences, config.maintenance, config.intervals, at)
    targets = []
    for node in heard_once(match(config.tree, labels)):
        why, due = "", first_flush(node, config.zone, at, at)
        told: datetime | None = due
        if node.active and any_holds(node.active, config.intervals, due) is None:
            why, told = f"sends only at certain times: {', '.join(node.active)}", None
        elif (name := any_holds(node.mute, config.intervals, due)) is not None:
            why, told = f"is quiet at certain times: {name}", None
        elif quiet is not None:
            why, told = f"{quiet.reason.value}: {quiet.name}", None
        receiver = config.receivers[node.receiver]
        for name, channel in receiver.named(node.receiver):
            lacking = name in config.unconfigured
            targets.append(
                Target(
                    route=node.id,
                    receiver=node.receiver,
                    channel=name,
                    recipients=tuple(sorted(recipients.shares(channel, [alert], config))),
                    told_at=None if lacking else told,
                    why="not configured: its variables are not set" if lacking else why,
                    page=receiver.page,
                )
            )
    return Explanation(labels, explain(config.tree, labels), quiet, targets)
