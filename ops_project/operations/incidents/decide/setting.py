"""What decisions about incidents are based on: the configuration, the rota and the asset graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.sla import Sla
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.owner import Owners
from ops_project.operations.oncall.targets import Surroundings

DEFAULT_TIER = 2


@dataclass(frozen=True)
class Setting:
    """What one decision is based on. It is the same for all incidents."""

    escalation: EscalationFile
    around: Surroundings
    lineage: Lineage
    paged: tuple[str, ...] = ()
    """The people who get a critical page now."""
    slas: Mapping[str, Sla] = field(default_factory=dict)
    tiers: Mapping[str, int] = field(default_factory=dict)
    """Domain → its tier. It is used for alerts that name no asset."""
    main_jobs: Mapping[str, str] = field(default_factory=dict)
    """Domain → its main job."""
    runbooks: Mapping[int, str] = field(default_factory=dict)
    """Number of an alert → the slug of its runbook."""
    pagers: Mapping[int, str] = field(default_factory=dict)
    """Number of an alert → the channel whose service escalates by itself and has received the page."""

    @property
    def owners(self) -> Owners:
        return self.around.owners

    def assets_of(self, alert: Alert) -> tuple[str, ...]:
        """The assets of an alert. If the alert names none, these are the assets of its service level."""
        sla = self.slas.get(alert.labels.get("sla", ""))
        return alert.assets or ((alert.asset,) if alert.asset else ()) or (tuple(sla.assets) if sla else ())

    def priority_of(self, alert: Alert) -> str:
        """The priority of an alert, from its severity and the highest tier of its assets. Empty if the alert opens no
        incident.
        """
        assets = self.assets_of(alert)
        known = [int(t) for asset in assets if (t := self.lineage.get(asset).tier).isdigit()]
        tier = min(known) if known else self.tiers.get(alert.labels.get("domain", ""), DEFAULT_TIER)
        return self.escalation.priority(alert.severity, tier)

    def pipeline_of(self, alert: Alert) -> str:
        """The pipeline whose owners are responsible for the alert: the one that has the asset's runbook; otherwise the
        alert's job; otherwise the main job of the domain.
        """
        books = {self.lineage.get(asset).runbook for asset in self.assets_of(alert)} - {""}
        for job, pair in self.owners.pipelines.items():
            if pair.runbook is not None and pair.runbook in books:
                return job
        job = alert.labels.get("pipeline", "")
        domain = alert.labels.get("domain", "")
        return job if job in self.owners.pipelines or not domain else self.main_jobs.get(domain, job)
