"""Says why an alert is silent, or why no message about it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.silence import Silence
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import match
from ops_project.operations.alerting.decide.silences import covering
from ops_project.operations.alerting.decide.state import AlertConfig
from ops_project.operations.alerting.decide.untold import why_untold
from ops_project.operations.channels.registry import lacks, unconfigured
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings


def why_silent(alert: Alert, silences: Sequence[Silence], now: datetime) -> str:
    """Why a firing alert is silent at `now`; empty if it is not silent. A new silence counts at once, even before the
    next cycle.
    """
    if alert.status != FIRING:
        return ""
    if alert.cause and alert.muted:
        return f"told with alert #{alert.cause}"
    if (silence := covering(alert.labels, silences, now)) is not None:
        return f"silence {silence.number} of {silence.owner}, until {silence.ends_at:%Y-%m-%d %H:%M} UTC"
    return "" if alert.muted == AlertReason.SILENCED.value else alert.muted.replace("_", " ")


def why_nobody(alert: Alert, ledger: Ledger, settings: Settings, config: AlertConfig, now: datetime) -> str:
    """Why no message about this alert was sent."""
    nodes = match(config.tree, alert.labels)
    receivers = {node.receiver: config.receivers[node.receiver] for node in nodes}
    channels = {name for receiver, found in receivers.items() for name, _ in found.named(receiver)}
    # The deciding process sends the messages, and it may have variables that this process lacks.
    deciding = authority.recorded(ledger)
    unusable = unconfigured(receivers, settings, deciding.secrets if deciding is not None else ())
    return why_untold(
        alert,
        silent=why_silent(alert, ledger.silences(now), now),
        timeline=ledger.timeline(alert.number),
        nodes=nodes,
        lacking=sorted({lacks(names) for names in unusable.values()}) if channels <= unusable.keys() else [],
    )
