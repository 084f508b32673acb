"""Every service level with its state today and its uptime, as `ops sla` and the console show it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.sla import Sla
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.durations import Baseline
from ops_project.operations.alerting.service_levels.expected import applies
from ops_project.operations.alerting.service_levels.standing import Known, Standing
from ops_project.operations.alerting.service_levels.uptime import measured_time, uptime
from ops_project.operations.ledger import Ledger


def gather(catalog: Catalog, ledger: Ledger, lineage: Lineage, now: datetime) -> list[dict[str, Any]]:
    """The content of `ops sla --json`. The value of `state` is ready, open, at risk, missed, not due today, or unknown.
    It is unknown if the pipeline has not run in this home before today.
    """
    facts, baselines = service_levels.known(ledger, now), service_levels.baselines(ledger)
    intervals = service_levels.measured(ledger)
    result = []
    for name, promise in catalog.slas.slas.items():
        if not promise.enabled:
            continue
        baseline = baselines.get(promise.pipeline, Baseline())
        at = service_levels.standing(promise, catalog, ledger, lineage=lineage, facts=facts, baseline=baseline, now=now)
        measured = intervals.get(name, [])
        result.append(
            {
                "sla": name,
                "title": promise.title,
                "domain": promise.domain,
                "pipeline": promise.pipeline,
                "severity": promise.severity,
                "due": at.deadline,
                "state": _state(at, promise, facts, now, catalog),
                "expected_at": at.outlook.expected_at if at.applies and now < at.deadline and baseline.steps else None,
                "missing": list(at.outlook.missing) if at.applies else [],
                "uptime": uptime(measured, now),
                "uptime_target": promise.uptime_target,
                "measured_days": measured_time(measured, now).total_seconds() / 86400,
            }
        )
    return result


def _state(at: Standing, promise: Sla, facts: Known, now: datetime, catalog: Catalog) -> str:
    if not at.wanted or promise.pipeline not in facts.seen:
        return "unknown"
    if not applies(promise.days, now.astimezone(catalog.platform.zone).date()):
        return "not due today"
    if not at.outlook.missing:
        return "ready"
    if not at.applies:
        return "unknown"
    return "missed" if at.outlook.breached else "at risk" if at.outlook.at_risk else "open"
