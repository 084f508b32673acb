"""`ops sla`: the service levels, their state today, and their uptime in the measured time."""

from __future__ import annotations

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
    from ops_project.operations.alerting.service_levels.overview import gather
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


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} %"
