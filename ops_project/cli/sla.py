"""`ops sla`: the service levels, their state today, and their uptime in the measured time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option, table
from ops_project.settings import Settings


@click.command()
@click.option("--domain", help="Only this domain.")
@json_option
@click.pass_obj
def sla(settings: Settings, domain: str | None, as_json: bool) -> None:
    """Show the service levels: their state today, and their uptime of 30 days. A state that was not measured is
    unknown.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.ledger import lineage_document as lineage_kept
    from ops_project.operations.ledger import open_ledger

    catalog, ledger, now = load_catalog(settings), open_ledger(settings), settings.now()
    if domain is not None and domain not in catalog.domain_ids():
        raise click.UsageError(f"unknown domain {domain}; valid: {', '.join(catalog.domain_ids())}")
    found = gather(catalog, ledger, lineage_kept.recall(ledger), now)
    data = [item for item in found if domain is None or item["domain"] == domain]
    zone = catalog.platform.zone

    def render() -> None:
        rows = [
            (
                item["title"],
                item["severity"],
                item["state"],
                f"{item['expected_at'].astimezone(zone):%H:%M}" if item["expected_at"] else "",
                ", ".join(item["missing"][:3]) + (" …" if len(item["missing"]) > 3 else ""),
                _percent(item["uptime"]),
                _percent(item["uptime_target"]) if item["uptime_target"] else "–",
                f"{item['measured_days']:.1f} d",
            )
            for item in data
        ]
        columns = ("promise", "severity", "today", "expected", "not ready", "uptime", "target", "measured")
        console.print(table(columns, rows))

    emit(as_json, data, render)


def gather(catalog: Any, ledger: Any, lineage: Any, now: datetime) -> list[dict[str, Any]]:
    """What `ops sla --json` prints. `state`: ready, open, at risk, missed, not due today, or unknown where the pipeline
    has not run here before today."""
    from ops_project.operations.alerting.service_levels import standing as service_levels
    from ops_project.operations.alerting.service_levels.durations import Baseline
    from ops_project.operations.alerting.service_levels.uptime import measured_time, uptime

    facts, baselines = service_levels.known(ledger, now), service_levels.baselines(ledger)
    intervals = service_levels.measured(ledger)
    result = []
    for name, promise in catalog.slas.slas.items():
        if not promise.enabled:
            continue
        baseline = baselines.get(promise.pipeline, Baseline())
        at = service_levels.standing(promise, catalog, ledger, lineage, facts, baseline, now)
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


def _state(at: Any, promise: Any, facts: Any, now: datetime, catalog: Any) -> str:
    from ops_project.operations.alerting.service_levels.expected import applies

    if not at.wanted or promise.pipeline not in facts.seen:
        return "unknown"
    if not applies(promise.days, now.astimezone(catalog.platform.zone).date()):
        return "not due today"
    if not at.outlook.missing:
        return "ready"
    if not at.applies:
        return "unknown"
    return "missed" if at.outlook.breached else "at risk" if at.outlook.at_risk else "open"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} %"
