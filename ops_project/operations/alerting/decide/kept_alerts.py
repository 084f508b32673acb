"""The copy of the alerts. It knows which alerts a stage of the decision must look at even though they have not
changed.
"""

from __future__ import annotations

from ops_project.model.alerting.alert import FIRING, PENDING, RESOLVED, Alert
from ops_project.operations.alerting.decide.kept import Kept
from ops_project.operations.alerting.decide.windows import WINDOW

SLA_LABEL = "sla"


class KeptAlerts(Kept[int, Alert]):
    """The alerts of the state, by number."""

    readers = ("bound", "advance", "mark_sla_risk", "mute", "dispatch", "flush")

    def __init__(self) -> None:
        super().__init__()
        self.windowed: set[int] = set()
        """Alerts for which a condition on a window holds. Windows slide."""
        self.timed: set[int] = set()
        """Alerts that the time alone can change: they are pending or held, or a window holds for them."""
        self.promised: set[int] = set()
        """Alerts that are about a service level."""
        self.silent: set[int] = set()
        """Firing alerts that are silent because of another alert."""
        self.resolved: set[int] = set()
        self.by_series: dict[str, set[int]] = {}
        """Series → the alerts for which it makes a condition true."""

    def enter(self, key: int, value: Alert, /) -> None:
        for name in _facts(value):
            getattr(self, name).add(key)
        for held in value.conditions.values():
            for source in held:
                self.by_series.setdefault(source, set()).add(key)

    def leave(self, key: int, value: Alert, /) -> None:
        for name in _facts(value):
            getattr(self, name).discard(key)
        for held in value.conditions.values():
            for source in held:
                numbers = self.by_series.get(source)
                if numbers is not None:
                    numbers.discard(key)
                    if not numbers:
                        del self.by_series[source]


def _facts(alert: Alert) -> list[str]:
    found = []
    windowed = any(WINDOW in held for held in alert.conditions.values())
    if windowed:
        found.append("windowed")
    if windowed or alert.status == PENDING or alert.clears_at is not None:
        found.append("timed")
    if SLA_LABEL in alert.labels:
        found.append("promised")
    if alert.cause is not None and alert.muted and alert.status == FIRING:
        found.append("silent")
    if alert.status == RESOLVED:
        found.append("resolved")
    return found
