"""Says in one line why no message about an alert was sent. It uses the reasons that were recorded."""

from __future__ import annotations

from collections.abc import Sequence

from ops_project.model.alerting.alert import PENDING, RESOLVED, Alert
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node
from ops_project.operations.alerting.decide.state import Event

QUIET = {
    AlertReason.OUTSIDE_ACTIVE_TIME: "its route sends only at certain times ({detail})",
    AlertReason.MUTED_BY_TIME: "its route is quiet at certain times ({detail})",
    AlertReason.SILENCED: "it was silenced ({detail})",
    AlertReason.MAINTENANCE: "it was silenced ({detail})",
    AlertReason.INHIBITED_BY_RULE: "another alert that says more was open ({detail})",
    AlertReason.INHIBITED_BY_CAUSE: "the message about its cause lists it ({detail})",
}
"""Recorded reason → words. `detail` stands for the text that was recorded with the reason."""


def why_untold(
    alert: Alert, *, silent: str, timeline: Sequence[Event], nodes: Sequence[Node], lacking: Sequence[str]
) -> str:
    """Why nobody was sent a message about this alert.

    `silent`: why the alert is silent now, in words; empty if the alert is not silent. `nodes`: the routes of the alert;
    there is at least one. `lacking`: what the channels of its routes lack in the deciding process, in words; empty if
    one of them can be used.
    """
    if alert.status == PENDING:
        return "It does not fire yet: its condition has not held for as long as the rule asks."
    if silent:
        return f"It is silent: {silent}."
    if lacking:
        return f"No channel of its routes can be used: {'; '.join(lacking)}."
    # Reasons that were recorded before the alert last stopped being silent say nothing about the present.
    quiet: Event | None = None
    for event in timeline:
        if event.reason is AlertReason.NO_LONGER_MUTED:
            quiet = None
        elif event.reason in QUIET:
            quiet = event
    if quiet is not None:
        words = QUIET[quiet.reason].format(detail=quiet.detail or "no detail recorded")
        return f"Nothing was sent, because {words}; recorded on {quiet.at:%Y-%m-%d at %H:%M} UTC."
    if alert.status == RESOLVED:
        return "It ended before its group was due."
    if all(node.digest for node in nodes):
        hours = ", ".join(sorted({node.digest for node in nodes if node.digest}))
        return f"It is collected for the digest at {hours}."
    longest = max(node.group_wait for node in nodes)
    return f"Its group is sent at most {longest.total_seconds():.0f} s after it fired, by the next cycle of the daemon."
