"""What this process remembers of the state from one decision to the next. With it, a decision looks only at what has
changed since the last one. It is not stored, and a process without it looks at everything once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ops_project.lineage import Lineage
from ops_project.model.alerting.route import GraphInhibition, InhibitRule
from ops_project.operations.alerting.decide.inhibition import Inhibitions
from ops_project.operations.alerting.decide.kept_alerts import KeptAlerts
from ops_project.operations.alerting.decide.kept_groups import KeptGroups
from ops_project.operations.alerting.decide.kept_log import KeptLog


class Memory:
    """The memory of one chain of states. Two threads must never decide with it at the same time."""

    def __init__(self) -> None:
        self._token: object = None
        self._at: datetime | None = None
        self.alerts, self.groups, self.log = KeptAlerts(), KeptGroups(), KeptLog()
        self._forget_conclusions()

    def _forget_conclusions(self) -> None:
        self.inhibitions = Inhibitions((), Lineage(), GraphInhibition())
        self.quiet: object = None
        """The silences and maintenance windows that held when `mute` looked last."""
        self.endangered: frozenset[str] | None = None
        """The assets whose alerts endanger a service level, as `mark_sla_risk` found them last."""
        self.under: Mapping[int, Sequence[tuple[int, str]]] = {}
        """Number of a cause → the alerts under it, and why they were silent, when `flush` looked last."""

    def begin(
        self, token: object, rules: Sequence[InhibitRule], lineage: Lineage, graph: GraphInhibition, now: datetime
    ) -> bool:
        """Begin a decision at `now`, under the configuration that `token` identifies. If the configuration has changed,
        everything is looked at again. If the clock has gone back, everything is forgotten, and True is returned.
        """
        back = self._at is not None and now < self._at
        if back:
            self.alerts, self.groups, self.log = KeptAlerts(), KeptGroups(), KeptLog()
        if back or self._token is not token:
            self._forget_conclusions()
            self.inhibitions = Inhibitions(rules, lineage, graph)
            self.alerts.tell_all()
            self.groups.tell_all()
            self.log.tell_all()
            self.groups.settled.all_changed()
        self._token, self._at = token, now
        return back
