"""`ops sla`: shows the service levels, their state today, and their uptime."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from ops_project.cli.numbers import DAYS
from ops_project.cli.output import console, emit, json_option, table
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.catalog import Catalog
    from ops_project.operations.ledger import Ledger

VERDICTS = ("hit", "late hit", "miss", "false alarm", "open")


@click.command()
@click.option("--domain", help="Only this domain.")
@click.option("--history", is_flag=True, help="How good the forecasts of breaches were: hits, misses, false alarms.")
@click.option("--days", type=DAYS, default=30, show_default=True, help="With --history: the number of past days.")
@json_option
@click.pass_obj
def sla(settings: Settings, domain: str | None, history: bool, days: int, as_json: bool) -> None:
    """Show the service levels: their state today, and their uptime over 30 days. A state that was not measured is
    unknown.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.alerting.service_levels.overview import gather
    from ops_project.operations.ledger import lineage_document as lineage_kept
    from ops_project.operations.ledger import open_ledger

    catalog, ledger, now = load_catalog(settings), open_ledger(settings), settings.now()
    if domain is not None and domain not in catalog.domain_ids():
        raise click.UsageError(f"unknown domain {domain}; valid: {', '.join(catalog.domain_ids())}")
    if history:
        _history(catalog, ledger, now, days=days, domain=domain, as_json=as_json)
        return
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


def _history(catalog: Catalog, ledger: Ledger, now: datetime, *, days: int, domain: str | None, as_json: bool) -> None:
    """Print the forecasts of the last days, each with its verdict, and count the forecasts by verdict."""
    from ops_project.operations.alerting.service_levels.forecasts import AT_RISK, BREACH, score

    signals = [signal for _, signal in ledger.signals_since(now - timedelta(days=days), [AT_RISK, BREACH])]
    if domain is not None:
        signals = [signal for signal in signals if signal.domain == domain]
    found = score(signals, now.astimezone(catalog.platform.zone).date())
    counts = {name: sum(item.verdict == name for item in found) for name in VERDICTS}
    data = {
        "days": days,
        "counts": counts,
        "forecasts": [{**vars(item), "lead_minutes": _minutes(item.lead)} for item in found],
    }

    def render() -> None:
        if not found:
            console.print(f"In {counted(days, 'day')} no breach was foreseen, and none came.")
            return
        rows = [[str(item.day), item.title, item.verdict, _minutes(item.lead), item.words] for item in found]
        console.print(table(("day", "promise", "forecast", "minutes ahead", "what was said"), rows))
        console.print(", ".join(f"{name}: {count}" for name, count in counts.items()))

    emit(as_json, data, render)


def _minutes(lead: timedelta | None) -> float | None:
    return None if lead is None else round(lead.total_seconds() / 60, 1)


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} %"
