"""`ops run`: land new files and build the tables that depend on them, in one process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli import faults
from ops_project.cli.ledger_lost import tell_ledger_back, tell_without_ledger
from ops_project.cli.numbers import DAYS
from ops_project.cli.output import Group, console, emit, errors, json_option, table
from ops_project.cli.output import status as spinner
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.catalog import Catalog
    from ops_project.defs.shared.domain_run import DomainRun
    from ops_project.defs.shared.run_session import Watcher
    from ops_project.operations.alerting.cycle import CycleReport
    from ops_project.pipeline.landing import ReplayOrder

UNRECORDED = 3
"""The data is good, and what the run found could not be recorded as alerts."""
DEFAULT_SIMULATED_DAYS = 30
SHOWN_WARNINGS = 5
GENERAL = "open the run in the Dagster UI (`ops ui`)"
QUIET = ("nothing new", "no files yet")


@click.command()
@click.option(
    "--domain", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; may be given several times."
)
@click.option("--days", type=DAYS, help="Build the last N business dates again, in one run.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Land and build exactly this business date again."
)
@click.option(
    "--rebuild",
    "tables",
    multiple=True,
    metavar="TABLE",
    help="Build this table, and every table that depends on it, from scratch; may be given several times.",
)
@click.option(
    "--simulate-if-empty", is_flag=True, help="If no file has ever arrived, simulate the source systems first."
)
@json_option
@click.pass_obj
def run(
    settings: Settings,
    domains: tuple[str, ...],
    days: int | None,
    day: datetime | None,
    tables: tuple[str, ...],
    simulate_if_empty: bool,
    as_json: bool,
) -> None:
    """Land what has arrived and build what depends on it.

    Without --days or --date: all files that wait in the inbound folder, of any date. One Dagster run for each domain;
    a domain that fails does not stop the others. Ends with 0 only if nothing failed, and
    with 3 where the data is good and alerts could not be recorded.
    """
    if days is not None and day is not None:
        raise click.UsageError("--days and --date exclude each other: N dates up to yesterday, or one date")
    perform(
        settings, Wanted(domains, days, day.date() if day else None, simulate_if_empty, rebuild_tables=tables), as_json
    )


@dataclass(frozen=True)
class Wanted:
    """The options of the command line."""

    domains: tuple[str, ...] = ()
    days: int | None = None
    day: date | None = None
    simulate_if_empty: bool = False
    rebuild_tables: tuple[str, ...] = ()
    """As they were written: `fact_orders` or `silver.fact_orders`."""
    replays: tuple[ReplayOrder, ...] = ()


def perform(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """Run the request and show the result. The exit code is 1 if anything failed."""
    if wanted.day is not None:
        _refuse_ahead(settings, wanted.day)
    began = time.perf_counter()
    with spinner("starting …") as status:
        told = Told(as_json, began)
        runs = _execute(settings, wanted, status, told)
    seconds = time.perf_counter() - began
    if wanted.rebuild_tables:
        _up_to_date(settings, runs)
    conclude(settings, runs, seconds, told.unrecorded, as_json)


def conclude(
    settings: Settings,
    runs: list[DomainRun],
    seconds: float,
    unrecorded: list[str],
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Show how the runs ended, and end with 1 if anything failed. `more`: what `--json` says besides."""
    from ops_project.catalog import load as load_catalog

    strays = _strays(settings, [item.domain for item in runs])
    catalog = load_catalog(settings)
    data = _as_data(settings, runs, seconds) | {"unclaimed": strays, "alerts_unrecorded": unrecorded} | dict(more or {})
    emit(as_json, data, lambda: console.print(Group(*_render(runs, seconds, strays, catalog))))
    if any(item.failed for item in runs):
        sys.exit(1)
    if unrecorded:
        sys.exit(UNRECORDED)


def watcher(status: Callable[[str], None], name: str) -> Watcher:
    """Shows what happens on the terminal."""
    from ops_project.defs.shared.run_session import Watcher

    return Watcher(say=partial(_say, status, name), waiting=partial(_waiting, name))


def _up_to_date(settings: Settings, runs: list[DomainRun]) -> None:
    """What was built anew is no longer out of date since a restore."""
    from ops_project.pipeline.recovery import out_of_date

    outcomes = [item.outcome for item in runs if item.outcome is not None]
    out_of_date.clear(settings, [".".join(asset) for outcome in outcomes for asset in outcome.built])


def _refuse_ahead(settings: Settings, day: date) -> None:
    """Raises UsageError for a date that cannot have any files: it would be built empty and look successful."""
    from ops_project.catalog import load as load_catalog

    platform = load_catalog(settings).platform
    today = settings.now().astimezone(platform.zone).date()
    if day > today:
        raise click.UsageError(
            f"--date {day} lies ahead: today is {today} in {platform.zone.key}, and no file of that date can be there"
        )
    if day < platform.start_date:
        raise click.UsageError(f"--date {day} lies before {platform.start_date}, the start_date of platform.yaml")


@dataclass(frozen=True)
class Told:
    """One line on standard error as each part ends: a first run takes minutes, and a pipe shows no spinner."""

    silent: bool
    began: float
    unrecorded: list[str] = field(default_factory=list)
    """Why alerts could not be recorded."""

    def __call__(self, words: str) -> None:
        if not self.silent:
            errors.print(f"{time.perf_counter() - self.began:6.1f} s  {words}", soft_wrap=True)

    def runs(self, finished: list[DomainRun]) -> None:
        for item in finished:
            found = _numbers(item)
            self(
                f"{item.domain}: {item.state}"
                + (
                    f", rows loaded: {found['rows_loaded']:,}, tables built: {found['tables_built']}"
                    if item.run_id
                    else ""
                )
            )


def _execute(settings: Settings, wanted: Wanted, status: Callable[[str], None], told: Told) -> list[DomainRun]:
    from ops_project.catalog import load as load_catalog
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.defs.shared.orders import Order
    from ops_project.pipeline.landing.contract_sql import require_expressions

    catalog = load_catalog(settings)
    require_expressions(catalog)
    known = [name for name in catalog.domain_ids() if catalog.feeds_of(name)]
    names = wanted.domains
    if unknown := [name for name in names if name not in known]:
        raise click.UsageError(f"unknown domain {', '.join(unknown)}; valid: {', '.join(known)}")
    if wanted.simulate_if_empty:
        _simulate_if_empty(settings, catalog, [name for name in known if not names or name in names], status, told)
    dagster_home.ensure(settings)
    asked = list(names or known)
    if wanted.day is not None and not names:
        told(f"--date without --domain: {wanted.day} is landed and built anew in {', '.join(known)}")
    order = Order(wanted.days, wanted.day, wanted.replays)
    if wanted.rebuild_tables:
        asked, tables = _rebuilt(catalog, wanted.rebuild_tables, asked)
        order = Order(wanted.days, wanted.day, wanted.replays, tables)
    if order.is_plain and (quiet := _quiet(settings, catalog, asked, status, told.unrecorded)) is not None:
        return quiet
    from ops_project.dagster_bridge.masked_events import unmasked
    from ops_project.dagster_bridge.runs import open_instance
    from ops_project.defs.compose import compose
    from ops_project.defs.operations.after_run import after_run
    from ops_project.defs.shared.execute import run_domain
    from ops_project.defs.shared.site import Site

    site = Site.load(settings)
    definitions = compose(site)
    runs: list[DomainRun] = []
    with open_instance(settings) as instance:
        if (words := unmasked(instance)) is not None:
            told(words)
        for name in asked:
            finished = run_domain(site, definitions, instance, name, order, watcher(status, name), settings.now)
            told.runs(finished)
            runs += finished
            if any(item.report.unusable for item in finished):
                break
        tell_alerts(settings, status, lambda: after_run(site, definitions, instance, settings.now()), told.unrecorded)
    return runs


def _rebuilt(catalog: Catalog, tables: tuple[str, ...], domains: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The domains of what is rebuilt, of those asked for, and the models to build from nothing."""
    from ops_project.pipeline.dbt_engine.manifest import load as load_manifest
    from ops_project.pipeline.dbt_engine.overlay import project_dir
    from ops_project.pipeline.dbt_engine.rebuilds import RebuildError, model_of, with_downstream

    manifest = load_manifest(project_dir(catalog)).json
    try:
        models = with_downstream(manifest, tables)
        touched = {model_of(manifest, name)["config"]["meta"]["domain"] for name in (*tables, *models)}
    except RebuildError as error:
        raise click.UsageError(f"--rebuild: {error}") from None
    asked = [name for name in domains if name in touched]
    if not asked:
        raise click.UsageError(f"--rebuild: {', '.join(tables)} belongs to {', '.join(sorted(touched))}")
    return asked, tuple(models)


def _quiet(
    settings: Settings, catalog: Catalog, domains: list[str], status: Callable[[str], None], unrecorded: list[str]
) -> list[DomainRun] | None:
    """The answer if no domain has anything to do.

    The definitions, which take 2.5 s to make, are not needed then. The alert cycle is still needed, because missing
    or late files and hung runs are found without a run.
    """
    from ops_project.defs.shared.domain_run import DomainRun
    from ops_project.defs.shared.unchanged import quiet_domains

    reasons = quiet_domains(settings, catalog, domains, settings.now())
    if reasons is None:
        return None
    from ops_project.dagster_bridge.runs import open_instance
    from ops_project.defs.operations.evidence import SOURCES
    from ops_project.defs.operations.observers import OBSERVERS
    from ops_project.operations.alerting.cycle import run_once

    with open_instance(settings) as instance:
        tell_alerts(
            settings,
            status,
            lambda: run_once(
                settings,
                catalog,
                settings.now(),
                instance,
                clock=lambda: datetime.now(UTC),
                observers=OBSERVERS,
                evidence=SOURCES,
                flush_now=True,
            ),
            unrecorded,
        )
    return [DomainRun(name, catalog.domains.main_job(name), why, 0.0) for name, why in reasons.items()]


def tell_alerts(
    settings: Settings, status: Callable[[str], None], cycle: Callable[[], CycleReport], unrecorded: list[str]
) -> None:
    """Run one alert cycle. If it fails, the reason is added to `unrecorded` and sent without the ledger."""
    _compare_archive(settings, status)
    status("alerts")
    try:
        report = cycle()
    except Exception as error:
        unrecorded.append(faults.in_words(error, settings))
        tell_without_ledger(settings, unrecorded[-1])
        return
    tell_ledger_back(settings)
    if report.decided_by:
        errors.print(f"alerts: {report.decided_by}", markup=False, soft_wrap=True)
    for name, words in report.observer_errors.items():
        errors.print(f"alerts: {name}: {words}", markup=False)
    for name, words in report.waiting.items():
        errors.print(f"alerts: {name}: messages wait, {words} in this process", markup=False, soft_wrap=True)


def _compare_archive(settings: Settings, status: Callable[[str], None]) -> None:
    """Compare this night's share of the archive, which in a home without a daemon no schedule does."""
    from ops_project.pipeline.recovery.archive_check import verify_share

    status("archive")
    try:
        found = verify_share(settings, settings.now())
    except OSError as error:
        errors.print(f"archive: could not be compared with its hashes: {error}", markup=False, soft_wrap=True)
        return
    if found is not None and found.damaged:
        number = len(found.damaged)
        errors.print(
            f"archive: {number:,} {'file is' if number == 1 else 'files are'} not what was archived; "
            "`ops archive verify` names them",
            soft_wrap=True,
        )


def _simulate_if_empty(
    settings: Settings, catalog: Catalog, domains: list[str], status: Callable[[str], None], told: Told
) -> None:
    """Only if the home has never had a file: a user's files are never mixed with simulated rows."""
    if any(
        path.is_file() for root in (settings.inbound, settings.archive) if root.is_dir() for path in root.rglob("*")
    ):
        return
    from ops_project.simulator.simulation import Asked, simulate
    from ops_project.simulator.sources import SOURCES, strangers

    status(f"simulating {DEFAULT_SIMULATED_DAYS} days")
    simulated = tuple(name for name in domains if name in SOURCES and not strangers(name, catalog))
    if simulated:
        simulate(settings, catalog, settings.now(), Asked(domains=simulated, days=DEFAULT_SIMULATED_DAYS))
        told(f"simulated {DEFAULT_SIMULATED_DAYS} days of {', '.join(simulated)}")


def _numbers(item: DomainRun) -> dict[str, int]:
    batches = item.report.batches
    checks = item.outcome.checks if item.outcome else ()
    return {
        "rows_in": sum(batch["rows_in"] for batch in batches),
        "rows_loaded": sum(batch["rows_loaded"] for batch in batches),
        "rows_quarantined": sum(batch["rows_quarantined"] for batch in batches),
        "rows_filtered": sum(batch["rows_filtered"] for batch in batches),
        "rows_collapsed": sum(batch["rows_collapsed"] for batch in batches),
        "tables_built": len(item.outcome.built) if item.outcome else 0,
        "checks_passed": sum(check.passed is True for check in checks),
        "checks_warned": sum(check.warned for check in checks),
        "checks_failed": sum(check.failed for check in checks),
        "checks_not_run": sum(check.passed is None for check in checks),
    }


def _as_data(settings: Settings, runs: list[DomainRun], seconds: float) -> dict[str, Any]:
    return {
        "home": settings.home,
        "seconds": round(seconds, 3),
        "failed": any(item.failed for item in runs),
        "runs": [
            {
                "domain": item.domain,
                "job": item.job,
                "state": item.state,
                "run_id": item.run_id,
                "from": item.window[0] if item.window else None,
                "to": item.window[1] if item.window else None,
                "seconds": round(item.seconds, 3),
                "parts": {name: round(value, 3) for name, value in item.report.seconds.items()},
                "snapshot": item.report.snapshot,
                **_numbers(item),
                "findings": item.report.findings,
                "not_published": item.report.held,
                "replayed": item.report.replayed,
                "retries": item.report.retries,
                "repaired": item.report.repaired,
                "on_hold": item.report.on_hold,
                "offers": item.report.offers,
                "failures": _failures(item),
                "warnings": _warnings(item),
            }
            for item in runs
        ],
    }


def _failures(item: DomainRun) -> list[str]:
    found = [item.error] if item.error else []
    found += [item.report.error] if item.report.error else []
    if item.outcome is not None:
        told = item.report.error or ""
        found += [f"{step}: {words}" for step, words in item.outcome.failures if not (told and told in words)]
        found += [
            f"{'.'.join(check.asset)}: check {check.name} failed{': ' + check.description if check.description else ''}"
            for check in item.outcome.checks
            if check.failed
        ]
    return found


def _warnings(item: DomainRun) -> list[str]:
    """Checks that warned, except checks of a landed table that already has a finding."""
    told = {one["asset"] for one in item.report.findings}
    checks = item.outcome.checks if item.outcome is not None else ()
    return [
        f"{'.'.join(check.asset)}: check {check.name}{': ' + check.description if check.description else ''}"
        for check in checks
        if check.warned and "/".join(check.asset) not in told
    ]


def _strays(settings: Settings, domains: list[str]) -> list[str]:
    """Files in the inbound folders that match no contract: they would wait for ever without a message."""
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.landing import unclaimed

    catalog = load_catalog(settings)
    return [
        f"{domain}/{name}"
        for domain in dict.fromkeys(domains)
        for name in unclaimed(catalog.feeds_of(domain), settings.inbound / domain)
    ]


def _say(status: Callable[[str], None], domain: str, what: str) -> None:
    status(f"{domain}: {what}")


def _waiting(domain: str, holder: object) -> None:
    errors.print(f"{domain}: waiting for the warehouse, held by {holder}")


def _general(catalog: Catalog, domain: str) -> str:
    """What to do first about something that has no first response of its own."""
    found = catalog.domains.domains.get(domain)
    runbook = found.runbook if found is not None else None
    return f"{GENERAL}; the runbook of the domain: `ops runbook show {runbook}`" if runbook else GENERAL


def _first_response(catalog: Catalog, domain: str, finding: Mapping[str, Any]) -> str:
    """The first response of an alert about this finding."""
    known = catalog.rules.first_responses.get(finding["kind"])
    words = known.about(feed=finding["feed"] or "", table=finding["asset"] or "") if known else None
    return words or _general(catalog, domain)


def _render(runs: list[DomainRun], seconds: float, strays: list[str], catalog: Catalog) -> list[Any]:
    columns = [
        "domain",
        "state",
        "rows in",
        "loaded",
        "quarantined",
        "tables",
        "checks passed/warned/failed",
        "seconds",
    ]
    numbers = [_numbers(item) for item in runs]
    # Rare, and the rows of the table must add up where it happens.
    rare = [key for key in ("rows_filtered", "rows_collapsed") if any(found[key] for found in numbers)]
    columns[5:5] = [key.removeprefix("rows_") for key in rare]
    rows = [
        [
            item.domain,
            item.state,
            *(found[key] for key in ("rows_in", "rows_loaded", "rows_quarantined", *rare, "tables_built")),
            f"{found['checks_passed']} / {found['checks_warned']} / {found['checks_failed']}",
            round(item.seconds, 1),
        ]
        for item, found in zip(runs, numbers, strict=True)
    ]
    parts: list[Any] = [table(columns, rows)]
    for item in runs:
        lines = [
            f"  finding   {one['message']}\n            → {_first_response(catalog, item.domain, one)}"
            for one in item.report.findings
        ]
        lines += [f"  failed    {line}" for line in _failures(item)]
        lines += [f"            → {_general(catalog, item.domain)}"] if _failures(item) else []
        warnings = _warnings(item)
        lines += [f"  warned    {line}" for line in warnings[:SHOWN_WARNINGS]]
        if len(warnings) > SHOWN_WARNINGS:
            lines.append(f"  warned    … and {len(warnings) - SHOWN_WARNINGS} more: ops status, ops alerts list")
        lines += [f"  held back {line}" for line in item.report.held]
        lines += [f"  replayed  {one.words}" for one in item.report.replayed]
        lines += [f"  retried   {line}" for line in item.report.retries]
        lines += [f"  repaired  {line}" for line in item.report.repaired]
        lines += [f"  on hold   {line}" for line in item.report.on_hold]
        lines += [f"  offer     {line}" for line in item.report.offers]
        if lines:
            parts.append(f"\n{item.domain}" + (f"  run {item.run_id}" if item.run_id else ""))
            parts += lines
    parts += [f"\nNo contract takes {name}: compare its name with `ops feed list`." for name in strays]
    if all(item.state in QUIET for item in runs):
        parts.append("\nNothing new has arrived since the last run.")
    parts.append(f"\n{seconds:.1f} s in all. `ops ui` shows the runs; `ops sql` asks the newest snapshot.")
    return parts
