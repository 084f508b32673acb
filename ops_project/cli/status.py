"""`ops status`: the state of each domain, read without disturbing a run."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ops_project.cli.output import Group, console, emit, json_option, table
from ops_project.cli.status_words import backup_line, judged, run_in_words
from ops_project.dagster_bridge.storage_damage import damaged, lost_storage
from ops_project.dagster_bridge.storage_errors import storage_words, unusable
from ops_project.failures import Unusable
from ops_project.settings import Settings


@click.command()
@click.option(
    "--domain", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; may be given several times."
)
@json_option
@click.pass_obj
def status(settings: Settings, domains: tuple[str, ...], as_json: bool) -> None:
    """Show for each domain the last run, the newest business date, the age of the data, open findings and alerts. Show
    also which process holds the lock of the warehouse.
    """
    from ops_project.catalog import load as load_catalog

    catalog = load_catalog(settings)
    if settings.watched is not None:
        from ops_project.cli.status_of_project import status_of_project

        status_of_project(settings, catalog, domains, as_json)
        return
    known = [name for name in catalog.domain_ids() if catalog.feeds_of(name)]
    if unknown := [name for name in domains if name not in known]:
        raise click.UsageError(f"unknown domain {', '.join(unknown)}; valid: {', '.join(known)}")
    data = gather(settings, catalog, list(domains) or known)
    emit(as_json, data, lambda: console.print(Group(*_render(data))))
    if data["ledger"] or data["warehouse"] or data["dagster"] or data["unreadable"]:
        raise SystemExit(1)


def gather(settings: Settings, catalog: Any, domains: list[str]) -> dict[str, Any]:
    """The document that `ops status --json` prints."""
    from ops_project.pipeline.recovery import out_of_date
    from ops_project.pipeline.warehouse import closings, retention, snapshots, standing
    from ops_project.process import locks

    now = settings.now()
    try:
        snapshot = snapshots.newest(settings)
    except snapshots.NoSnapshot:
        snapshot = None
    facts = _from_snapshot(snapshot, catalog, now) if snapshot else {}
    runs, dagster_lost = _last_runs_or_why(settings, domains)
    wrong = retention.failed_in(snapshot.manifest) if snapshot else []
    closed = {item.run_id: item for item in closings.noted(settings)}
    alerts: dict[str, int] | None = None
    resources: dict[str, Any] = {**{name: {} for name in READINGS}, "tables": {}}
    try:
        alerts, resources = _open_alerts(settings), _resources(settings, now)
        ledger_lost = _refuses_writing(settings)
    except Unusable as error:
        ledger_lost = str(error)
    holder = locks.holder(settings.lock)
    marked = out_of_date.marked(settings)
    unreadable = [words] if (words := snapshots.unreadable(settings)) else []
    unreadable += [marked[out_of_date.UNKNOWN]["because"]] if out_of_date.UNKNOWN in marked else []
    result = []
    for name in domains:
        published = _published(settings, name, unreadable)
        result.append(
            {
                "domain": name,
                "title": catalog.domain(name).title,
                "job": catalog.domains.main_job(name),
                "last_run": {"state": "unknown", "started_at": None, "ended_at": None}
                if runs is None
                else judged(runs.get(name), closed, name in wrong),
                **(
                    facts.get(name)
                    or {"newest_business_date": None, "age_hours": None, "freshness": "unknown", "open_findings": None}
                ),
                "open_alerts": None if alerts is None else alerts.get(name, 0),
                "waiting_files": _waiting(settings, catalog, name),
                "published": published,
            }
        )
    return {
        "home": settings.home,
        "as_of": now,
        "warehouse": standing.looked(settings),
        "out_of_date": marked,
        "backups": _backups(settings, catalog, now),
        "ledger": ledger_lost or None,
        "dagster": dagster_lost or None,
        "unreadable": unreadable,
        "snapshot": None if snapshot is None else {"id": snapshot.id, "as_of": snapshot.as_of},
        "lock": None if holder is None else {"held_by": str(holder), "pid": holder.pid, "since": holder.since},
        "resources": resources,
        "domains": result,
    }


def _from_snapshot(snapshot: Any, catalog: Any, now: datetime) -> dict[str, dict[str, Any]]:
    from ops_project.console.freshness import NEWEST, OPEN_FINDINGS, by_domain
    from ops_project.pipeline.warehouse import snapshots

    with snapshots.open(snapshot) as connection:
        newest = dict(connection.execute(NEWEST).fetchall())
        findings = dict(connection.execute(OPEN_FINDINGS).fetchall())
    return {
        name: {
            "newest_business_date": found.newest,
            "age_hours": None if found.age_hours is None else round(found.age_hours, 1),
            "freshness": found.word,
            "open_findings": found.findings,
        }
        for name, found in by_domain(catalog, newest, findings, now).items()
    }


def _last_runs_or_why(settings: Settings, domains: list[str]) -> tuple[dict[str, Any] | None, str]:
    """The newest run of each domain, and an empty text. If Dagster's storage cannot be read: None, and the reason."""
    if words := lost_storage(settings):
        return None, words
    if broken := damaged(settings.dagster_home):
        return None, unusable(settings.dagster_home, broken)
    try:
        return _last_runs(settings, domains), ""
    except Exception as error:
        if not (words := storage_words(error, settings.dagster_home)):
            raise
        return None, words


def _last_runs(settings: Settings, domains: list[str]) -> dict[str, Any]:
    from ops_project.dagster_bridge import runs_file as dagster_runs_file

    if (runs := dagster_runs_file.read(settings, domains)) is not None:
        return {name: asdict(facts) for name, facts in runs.newest.items()}
    from ops_project.dagster_bridge.runs import last_runs, open_instance
    from ops_project.process import locks

    with open_instance(settings) as instance:
        found = last_runs(instance, domains, locks.left(settings.lock))
        return {name: asdict(facts) for name, facts in found.items()}


def _published(settings: Settings, domain: str, unreadable: list[str]) -> dict[str, Any] | None:
    """What consumers of the domain read; None before the first publication. If the publication cannot be read, the
    values of the answer are None, and the reason is added to `unreadable`.
    """
    from ops_project.pipeline.warehouse import publishing

    try:
        found = publishing.current(settings, domain)
    except publishing.PublicationUnusable as error:
        unreadable.append(str(error))
        return {"id": None, "as_of": None, "held": []}
    return None if found is None else {"id": found.id, "as_of": found.manifest["as_of"], "held": sorted(found.held)}


def _refuses_writing(settings: Settings) -> str:
    from ops_project.operations.ledger import refuses_writing

    return refuses_writing(settings.ledger_url)


def _ledger(settings: Settings) -> Any:
    """The ledger; None before the first run. This command only reads, so it must not create a ledger. Raises
    Unusable.
    """
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.address import wrong_address
    from ops_project.process.emptied import is_gone

    url, file = settings.ledger_url, Path(settings.ledger_shown)
    is_file = url.startswith("sqlite:///") and not wrong_address(url)
    if is_file and not os.path.lexists(file) and not is_gone(settings, file):
        return None
    return open_ledger(settings)


def _open_alerts(settings: Settings) -> dict[str, int] | None:
    """Open alerts by domain; None if there is no ledger yet."""
    ledger = _ledger(settings)
    if ledger is None:
        return None
    counts: dict[str, int] = {}
    for alert in ledger.alerts("open", limit=None):
        domain = alert.labels.get("domain", "")
        counts[domain] = counts.get(domain, 0) + 1
    return counts


LARGEST = 5
# A reading that is older says nothing about the present, because even the slowest observer looks every five minutes.
READ_SINCE = timedelta(minutes=15)
READINGS = (
    "resource.disk_percent",
    "storage.bytes",
    "resource.queue_length",
    "resource.cpu_percent",
    "resource.memory_percent",
)


def _resources(settings: Settings, now: datetime) -> dict[str, Any]:
    """The newest readings, by metric and subject, and the largest tables. A reading is None if it is not recent or
    could not be made, because the present value is then unknown.
    """
    result: dict[str, Any] = {name: {} for name in READINGS}
    ledger = _ledger(settings)
    if ledger is None:
        return {**result, "tables": {}}
    for name in READINGS:
        for signal in ledger.latest(name).values():
            fresh = now - signal.event_at <= READ_SINCE
            # A reading of zero means that the process or queue has ended. A process or queue that no longer exists is
            # neither unknown nor idle, so it is left out.
            if signal.value == 0 and name in READINGS[2:]:
                continue
            result[name][signal.asset or signal.check or signal.pipeline or "all"] = signal.value if fresh else None
    sizes = {signal.asset: signal.value for signal in ledger.latest("storage.asset_bytes").values()}
    result["tables"] = dict(sorted(sizes.items(), key=lambda item: -(item[1] or 0))[:LARGEST])
    return result


def _waiting(settings: Settings, catalog: Any, domain: str) -> int:
    from ops_project.pipeline.landing import pending

    return len(
        {file.path for feed in catalog.feeds_of(domain) if feed.enabled for file in pending(feed, settings.inbound)}
    )


def _backups(settings: Settings, catalog: Any, now: datetime) -> dict[str, Any] | None:
    """What the home has recorded about its backups; None if no destination is configured."""
    destination = catalog.platform.backups.destination
    if destination is None:
        return None
    from ops_project.console.backups_health import newest_proved
    from ops_project.pipeline.recovery.backup.shelf import register

    known = register(settings, destination, now)
    proved, last = newest_proved(known), known.last_proof
    return {
        "destination": destination,
        "newest_proved": None if proved is None else proved.id,
        "age_hours": None if proved is None else round((now - proved.at).total_seconds() / 3600, 1),
        "last_outcome": last.outcome.value if last is not None else None,
    }


def _render(data: dict[str, Any]) -> list[Any]:
    rows = [
        [
            item["domain"],
            run_in_words(item["last_run"]),
            item["newest_business_date"],
            item["freshness"],
            item["open_findings"],
            item["open_alerts"],
            item["waiting_files"],
            "–"
            if item["published"] is None
            else "unknown"
            if item["published"]["as_of"] is None
            else f"{datetime.fromisoformat(item['published']['as_of']):%Y-%m-%d %H:%M}"
            + (f", {len(item['published']['held'])} held" if item["published"]["held"] else ""),
        ]
        for item in data["domains"]
    ]
    columns = ("domain", "last run", "newest date", "data", "findings", "alerts", "files waiting", "published as of")
    snapshot = data["snapshot"]
    lines = [
        "",
        f"Snapshot   {snapshot['id']}, as of {snapshot['as_of']:%Y-%m-%d %H:%M} UTC"
        if snapshot
        else "Snapshot   none yet",
        *_warehouse_lines(data),
        f"Home       {data['home']}",
        *(
            [f"Restored   these tables are out of date: {', '.join(data['out_of_date'])}"]
            if data["out_of_date"]
            else []
        ),
        *([f"Backups    {backup_line(data['backups'])}"] if data["backups"] else []),
        *([f"Ledger     {data['ledger']}"] if data["ledger"] else []),
        *([f"Dagster    {data['dagster']}"] if data["dagster"] else []),
        *(f"Unknown    {words}" for words in data["unreadable"]),
        *_resource_lines(data["resources"]),
    ]
    return [table(columns, rows), *lines]


def _warehouse_lines(data: dict[str, Any]) -> list[str]:
    """Who holds the warehouse, and what is wrong with it. A warehouse that is lost or cannot be read is never called
    free.
    """
    held, trouble = data["lock"], data["warehouse"]
    lines = [f"Warehouse  held by {held['held_by']}"] if held else []
    lines += [f"Warehouse  {trouble['message']}"] if trouble else []
    return lines or ["Warehouse  free"]


def _resource_lines(resources: dict[str, Any]) -> list[str]:
    from ops_project.operations.alerting.decide.wording import human_bytes

    def shown(value: float | None, unit: str) -> str:
        return "unknown" if value is None else human_bytes(value) if unit == "bytes" else f"{value:.0f} %"

    disk = resources["resource.disk_percent"].get("home")
    parts = ", ".join(f"{name} {shown(value, 'bytes')}" for name, value in sorted(resources["storage.bytes"].items()))
    tables = ", ".join(f"{name} {shown(value, 'bytes')}" for name, value in resources["tables"].items())
    cpu, memory = resources["resource.cpu_percent"], resources["resource.memory_percent"]
    running = ", ".join(
        f"{name} CPU {shown(cpu.get(name), '%')}, memory {shown(memory.get(name), '%')}"
        for name in sorted({*cpu, *memory})
    )
    return [
        f"Disk       {shown(disk, '%')} used; {parts or 'sizes unknown'}",
        f"Tables     {tables or 'sizes unknown'}",
        f"Building   {running or 'nothing'}",
    ]
