"""`ops status` on a home that watches another Dagster project: the state of each domain, as its runs and alerts say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from ops_project.catalog import Catalog
from ops_project.cli.output import Group, console, emit, table
from ops_project.dagster_bridge.storage_damage import damaged, lost_storage
from ops_project.dagster_bridge.storage_errors import unusable
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING
from ops_project.operations.domains import domains_of, title_of
from ops_project.operations.ledger import Ledger, open_ledger, refuses_writing
from ops_project.operations.ledger.lineage_document import recall
from ops_project.operations.oncall.lint import unknown_owners
from ops_project.settings import Settings

COLUMNS = ("domain", "assets", "never built", "failed", "last build", "open alerts")


def status_of_project(settings: Settings, catalog: Catalog, domains: tuple[str, ...], as_json: bool) -> None:
    """Print the state. The process ends with 1 if the ledger or Dagster's storage cannot be used."""
    ledger = open_ledger(settings)
    lineage = recall(ledger)
    known = domains_of(catalog, lineage)
    if unknown := [name for name in domains if name not in known]:
        raise click.UsageError(f"unknown domain {', '.join(unknown)}; valid: {', '.join(known)}")
    # An asset without a domain is counted under the empty name.
    shown = list(domains) or [*known, *([""] if any(not fact.domain for fact in lineage.assets.values()) else [])]
    lost = lost_storage(settings)
    if not lost and (broken := damaged(settings.dagster_home)):
        lost = unusable(settings.dagster_home, broken)
    data = {
        "home": settings.home,
        "watches": settings.watched,
        "config": settings.overlay,
        "as_of": settings.now(),
        "ledger": refuses_writing(settings.ledger_url) or None,
        "dagster": lost or None,
        "unknown_owners": unknown_owners(catalog.owners, lineage),
        "open_incidents": ledger.count_incidents("open"),
        "domains": _domains(ledger, catalog, lineage, shown),
    }
    emit(as_json, data, lambda: console.print(Group(*_lines(data))))
    if data["ledger"] or data["dagster"]:
        raise SystemExit(1)


def _domains(ledger: Ledger, catalog: Catalog, lineage: Lineage, names: list[str]) -> list[dict[str, Any]]:
    built = ledger.last_ok("asset.failure")
    failed = {signal.asset for signal in ledger.latest("asset.failure").values() if signal.state == FIRING}
    alerts = [alert.labels.get("domain", "") for alert in ledger.alerts("open", limit=None)]
    result = []
    for name in names:
        facts = [fact for fact in lineage.assets.values() if fact.domain == name]
        assets = [fact.key for fact in facts if not fact.external]
        result.append(
            {
                "domain": name,
                "title": title_of(catalog, name),
                "assets": len(facts),
                "never_built": sum(asset not in built for asset in assets),
                "failed": sorted(failed & set(assets)),
                "last_build": max((built[asset] for asset in assets if asset in built), default=None),
                "open_alerts": alerts.count(name),
            }
        )
    return result


def _lines(data: dict[str, Any]) -> list[Any]:
    rows = [
        [
            item["domain"] or "(none)",
            item["assets"],
            item["never_built"],
            ", ".join(item["failed"]) or "–",
            _moment(item["last_build"]),
            item["open_alerts"],
        ]
        for item in data["domains"]
    ]
    return [
        table(COLUMNS, rows) if rows else "No asset is known yet: the sensor alert_cycle has not run.",
        "",
        f"Incidents  {data['open_incidents']} open",
        f"Home       {data['home']}",
        f"Watches    {data['watches']}",
        f"Config     {data['config'] or 'the shipped one'}",
        *(f"Owners     {name}: {words}" for name, words in data["unknown_owners"].items()),
        *([f"Ledger     {data['ledger']}"] if data["ledger"] else []),
        *([f"Dagster    {data['dagster']}"] if data["dagster"] else []),
    ]


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "never"
