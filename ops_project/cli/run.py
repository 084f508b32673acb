"""`ops run`: land new files and build the tables that depend on them, in one process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import DAYS
from ops_project.cli.output import Group, console, emit, errors, json_option
from ops_project.cli.output import status as spinner
from ops_project.cli.run_alerts import catch_up, tell_alerts, told_if_storage_fails
from ops_project.cli.run_summary import as_data, numbers_of, render, strays_of
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.catalog import Catalog
    from ops_project.defs.shared.domain_run import DomainRun
    from ops_project.defs.shared.orders import Order
    from ops_project.defs.shared.run_session import Watcher
    from ops_project.pipeline.landing import ReplayOrder

UNRECORDED = 3
"""The exit code if the data is good, but what the run found could not be recorded as alerts."""
DEFAULT_SIMULATED_DAYS = 30


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
    *,
    domains: tuple[str, ...],
    days: int | None,
    day: datetime | None,
    tables: tuple[str, ...],
    simulate_if_empty: bool,
    as_json: bool,
) -> None:
    """Land what has arrived and build what depends on it.

    Without --days or --date, all files that wait in the inbound folder are landed, whatever their dates. Each domain
    gets one Dagster run, and a domain that fails does not stop the others. Ends with 0 only if nothing failed, and with
    3 if the data is good but alerts could not be recorded.
    """
    if days is not None and day is not None:
        raise click.UsageError("--days and --date exclude each other: N dates up to yesterday, or one date")
    perform(
        settings, Wanted(domains, days, day.date() if day else None, simulate_if_empty, rebuild_tables=tables), as_json
    )


@dataclass(frozen=True)
class Wanted:
    """What a run is asked to do."""

    domains: tuple[str, ...] = ()
    days: int | None = None
    day: date | None = None
    simulate_if_empty: bool = False
    rebuild_tables: tuple[str, ...] = ()
    """The tables to rebuild, in the user's spelling: `fact_orders` or `silver.fact_orders`."""
    replays: tuple[ReplayOrder, ...] = ()


def perform(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """Run what is wanted and show the result. The exit code is that of `conclude`."""
    if wanted.day is not None:
        _refuse_ahead(settings, wanted.day)
    began = time.perf_counter()
    with spinner("starting …") as status:
        told = Told(as_json, began)
        runs = _execute(settings, wanted, status, told)
    seconds = time.perf_counter() - began
    if wanted.rebuild_tables:
        _up_to_date(settings, runs)
    conclude(settings, runs, seconds=seconds, unrecorded=told.unrecorded, as_json=as_json)


def conclude(
    settings: Settings,
    runs: list[DomainRun],
    *,
    seconds: float,
    unrecorded: list[str],
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Show how the runs ended. Ends with 1 if anything failed, otherwise with UNRECORDED if alerts could not be
    recorded. `more`: further keys of the `--json` output.
    """
    from ops_project.catalog import load as load_catalog

    strays = strays_of(settings, [item.domain for item in runs])
    catalog = load_catalog(settings)
    data = as_data(settings, runs, seconds) | {"unclaimed": strays, "alerts_unrecorded": unrecorded} | dict(more or {})
    emit(as_json, data, lambda: console.print(Group(*render(settings, runs, seconds, strays, catalog))))
    if any(item.failed for item in runs):
        sys.exit(1)
    if unrecorded:
        sys.exit(UNRECORDED)


def watcher(status: Callable[[str], None], name: str) -> Watcher:
    """A watcher that shows the progress of domain `name` on the terminal."""
    from ops_project.defs.shared.run_session import Watcher

    return Watcher(say=partial(_say, status, name), waiting=partial(_waiting, name))


def _up_to_date(settings: Settings, runs: list[DomainRun]) -> None:
    """Remove the mark `out of date` from each table that has been built again since a restore."""
    from ops_project.pipeline.recovery import out_of_date

    outcomes = [item.outcome for item in runs if item.outcome is not None]
    out_of_date.clear(settings, [".".join(asset) for outcome in outcomes for asset in outcome.built])


def _refuse_ahead(settings: Settings, day: date) -> None:
    """Raises UsageError for a date that no file can have. Without this check, the tables of the date would be built
    empty, and the run would look successful.
    """
    from ops_project.catalog import load as load_catalog

    platform = load_catalog(settings).platform
    today = settings.now().astimezone(platform.zone).date()
    if day > today:
        raise click.UsageError(
            f"--date {day} lies ahead: today is {today} in {platform.zone.key}, so no file of that date can exist"
        )
    if day < platform.start_date:
        raise click.UsageError(f"--date {day} lies before {platform.start_date}, the start_date of platform.yaml")


@dataclass(frozen=True)
class Told:
    """Prints a line on standard error whenever a part of the run ends. A first run takes minutes, and where output goes
    into a pipe, no spinner is shown.
    """

    silent: bool
    began: float
    unrecorded: list[str] = field(default_factory=list)
    """Why alerts could not be recorded."""

    def __call__(self, words: str) -> None:
        if not self.silent:
            errors.print(f"{time.perf_counter() - self.began:6.1f} s  {words}", soft_wrap=True)

    def runs(self, finished: list[DomainRun]) -> None:
        for item in finished:
            found = numbers_of(item)
            self(
                f"{item.domain}: {item.words}"
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
    dagster_home.ensure(settings)
    asked = list(names or known)
    order = Order(wanted.days, wanted.day, wanted.replays)
    if wanted.rebuild_tables:
        asked, tables = _rebuilt(catalog, wanted.rebuild_tables, asked)
        order = Order(wanted.days, wanted.day, wanted.replays, tables)
    with (
        told_if_storage_fails(settings, catalog, status, told.unrecorded),
        _first_files(settings, catalog, asked, told) if wanted.simulate_if_empty else nullcontext() as first_files,
    ):
        if first_files is None and not order.replays:
            quiet = _quiet(settings, catalog, asked, status, told.unrecorded, plain=order.is_plain)
            if quiet is not None:
                return quiet
        if wanted.day is not None and not names:
            told(f"--date without --domain: {wanted.day} is landed and built anew in {', '.join(known)}")
        return _run_domains(settings, asked, order, first_files=first_files, status=status, told=told)


def _run_domains(
    settings: Settings,
    asked: list[str],
    order: Order,
    *,
    first_files: Callable[[str], int] | None,
    status: Callable[[str], None],
    told: Told,
) -> list[DomainRun]:
    """Run each domain as soon as its first files are there. Then run one alert cycle."""
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
            if first_files is not None:
                status(f"simulating {name}")
                if count := first_files(name):
                    told(f"{name}: {counted(count, 'file')} simulated")
            finished = run_domain(
                site, definitions, instance, name, order=order, watcher=watcher(status, name), clock=settings.now
            )
            told.runs(finished)
            runs += finished
            if any(item.report.unusable for item in finished):
                break
        tell_alerts(settings, status, lambda: after_run(site, definitions, instance, settings.now()), told.unrecorded)
    return runs


def _rebuilt(catalog: Catalog, tables: tuple[str, ...], domains: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The domains whose tables are rebuilt, as far as they were asked for, and the models to build from nothing."""
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
    settings: Settings,
    catalog: Catalog,
    domains: list[str],
    status: Callable[[str], None],
    unrecorded: list[str],
    *,
    plain: bool,
) -> list[DomainRun] | None:
    """The result if no domain has anything to do; None if a domain has.

    The alert cycle is run in any case, because it finds missing files, late files and hung runs.
    """
    from ops_project.defs.shared.domain_run import DomainRun
    from ops_project.defs.shared.unchanged import quiet_domains

    reasons = quiet_domains(settings, catalog, domains, settings.now(), plain=plain)
    if reasons is None:
        return None
    from ops_project.dagster_bridge.runs import open_instance

    with open_instance(settings) as instance:
        unrecorded += catch_up(settings, catalog, instance, status)
    return [DomainRun(name, catalog.domains.main_job(name), why, 0.0) for name, why in reasons.items()]


@contextmanager
def _first_files(
    settings: Settings, catalog: Catalog, domains: list[str], told: Told
) -> Iterator[Callable[[str], int] | None]:
    """Simulate the first files of these domains in the background. Yields a function that waits for the files of a
    domain and returns their number. Yields None if the home already has files.
    """
    from ops_project.simulator import first_files
    from ops_project.simulator.plans import SimulationError

    now = settings.now()
    try:
        wanted = first_files.wanted(settings, catalog, domains, days=DEFAULT_SIMULATED_DAYS, now=now)
        if wanted is None:
            yield None
            return
        told(
            f"simulating {counted(wanted.days, 'day')} of {', '.join(wanted.domains)}; each pipeline starts "
            "when its files are "
            "there"
        )
        with first_files.delivered(settings, wanted, now) as arrived:
            yield arrived
    except SimulationError as error:
        raise click.ClickException(str(error)) from None


def _say(status: Callable[[str], None], domain: str, what: str) -> None:
    status(f"{domain}: {what}")


def _waiting(domain: str, holder: object) -> None:
    errors.print(f"{domain}: waiting for the warehouse, held by {holder}")
