"""Runs the unfinished part of a run again: in this process, under the present configuration, for the same dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import dagster as dg
from dagster import RunsFilter

from ops_project.dagster_bridge import reruns
from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.defs.shared import orders, partitions
from ops_project.defs.shared.domain_run import DomainRun
from ops_project.defs.shared.partial import Part, execute
from ops_project.defs.shared.run_session import Watcher
from ops_project.defs.shared.site import Site
from ops_project.pipeline.recovery.decide.relief import Limits, bytes_of, relieved, text_of
from ops_project.pipeline.recovery.decide.rerun import Asset, Rerun, Verdict, from_asset, from_failed
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse import closings
from ops_project.process import locks
from ops_project.settings import Settings

LIMITED = "resource_exhausted"
HISTORY = 200


@dataclass(frozen=True)
class Wanted:
    """A rerun that was decided on."""

    run: dg.DagsterRun
    plan: Rerun
    days: int = 0
    """The largest number of business dates in one run; 0 means all of them."""


def plan(
    settings: Settings, definitions: dg.Definitions, instance: dg.DagsterInstance, text: str, start: str | None
) -> Wanted:
    """The plan of a rerun of the run whose id begins with `text`. Nothing is changed. Raises RestoreError or
    reruns.NoRun.
    """
    named = reruns.find(instance, text)
    run = reruns.chain(instance, named)[-1]  # The newest rerun knows the work of all earlier reruns.
    if run.status not in reruns.ENDED:
        raise RestoreError(f"run {run.run_id[:8]} has not ended: it is {run.status.value.lower()}")
    done = reruns.together(instance, run)
    if start is None:
        verdicts = [Verdict(item.asset, item.name, item.passed, item.severity == "ERROR") for item in done.checks]
        unpublished = frozenset() if has_closed(settings, instance, run) else bridge.outcome(instance, run.run_id).built
        return Wanted(run, from_failed(done.planned, done.built, verdicts, unpublished))
    lineage = lineage_of(definitions)

    def downstream(asset: Asset) -> list[Asset]:
        return [tuple(key.split("/")) for key in lineage.descendants("/".join(asset))]

    return Wanted(run, from_asset(_named(start, done.planned), done.planned, downstream, done.built))


def has_closed(settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether this run, or a later run of its job, completed its snapshot and its publication."""
    found = next((item for item in closings.noted(settings) if item.job == run.job_name), None)
    if found is None or found.state != closings.CLOSED:
        return False
    mine, theirs = (instance.get_run_record_by_id(run_id) for run_id in (run.run_id, found.run_id))
    return found.run_id == run.run_id or (
        mine is not None and theirs is not None and theirs.create_timestamp > mine.create_timestamp
    )


def cut_off_replays(settings: Settings, instance: dg.DagsterInstance) -> list[str]:
    """The domains whose newest replay ended without a publication. The rows of such a replay may be landed although the
    tables downstream were not built.
    """
    newest: dict[str, dg.DagsterRun] = {}
    for record in instance.get_run_records(RunsFilter(statuses=list(reruns.ENDED)), limit=HISTORY):
        run = record.dagster_run
        if orders.REPLAY in run.tags:
            newest.setdefault(run.tags.get(DOMAIN_TAG, ""), run)
    return [domain for domain, run in newest.items() if domain and not has_closed(settings, instance, run)]


def with_relief(site: Site, wanted: Wanted, machine_bytes: int, cores: int) -> tuple[Site, Wanted, tuple[str, ...]]:
    """The rerun with lower limits, for a run that had too little memory, and the changes in words."""
    platform = site.catalog.platform
    window = partitions.window_of(wanted.run.tags)
    exact = window is not None and wanted.run.tags.get(partitions.MODE) != partitions.ARRIVED
    days = (window[1] - window[0]).days + 1 if window is not None and exact else 1
    limits = Limits(bytes_of(platform.warehouse.memory_limit), platform.warehouse.threads or cores, days)
    found, words = relieved(limits, machine_bytes)
    return (
        limited(site, text_of(found.memory_bytes), found.threads),
        replace(wanted, days=found.days if found.days < days else 0),
        words,
    )


def limited(site: Site, memory: str | None, threads: int | None) -> Site:
    """The site with limits that replace the configured ones."""
    platform = site.catalog.platform
    changed = {"memory_limit": memory, "threads": threads}
    warehouse = platform.warehouse.model_copy(update={name: value for name, value in changed.items() if value})
    catalog = replace(site.catalog, platform=platform.model_copy(update={"warehouse": warehouse}))
    return replace(site, catalog=catalog)


def rerun(
    site: Site,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    wanted: Wanted,
    *,
    watcher: Watcher,
    clock: Callable[[], datetime],
) -> list[DomainRun]:
    """Carry out the plan. If `wanted` limits the dates of a run, there are several runs.

    A failure of a run is returned and not raised, and no further run begins after it.
    """
    settings, run = site.settings, wanted.run

    def on_wait(holder: locks.Holder | None) -> None:
        watcher.waiting(str(holder or "another process"))

    done: list[DomainRun] = []
    with locks.hold(settings.lock, owner=f"ops rerun, {run.job_name}", now=clock(), on_wait=on_wait):
        bridge.mark_dead_runs(instance, clock())
        for window in _windows(partitions.window_of(run.tags), wanted.days):
            done.append(execute(definitions, instance, _part(wanted, window), watcher, clock()))
            if done[-1].failed:
                break
    return done


def _part(wanted: Wanted, window: tuple[date, date] | None) -> Part:
    run = wanted.run
    kept = (partitions.MODE, orders.REPLAY, orders.REBUILD)
    return Part(
        job=run.job_name,
        domain=run.tags.get(DOMAIN_TAG, ""),
        assets=wanted.plan.assets,
        checks=wanted.plan.checks,
        window=window,
        tags={
            **{name: value for name, value in run.tags.items() if name in kept},
            **_timeout(run.tags),
            **reruns.rerun_tags(run),
        },
    )


def _timeout(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name.endswith("timeout_seconds") or "max_runtime" in name}


def _windows(window: tuple[date, date] | None, days: int) -> list[tuple[date, date] | None]:
    if window is None or not days:
        return [window]
    first, last = (moment.toordinal() for moment in window)
    return [
        (date.fromordinal(start), date.fromordinal(min(start + days - 1, last)))
        for start in range(first, last + 1, days)
    ]


def _named(text: str, planned: frozenset[Asset]) -> Asset:
    asset = tuple(text.replace("/", ".").split("."))
    if len(asset) > 1 or asset in planned:
        return asset
    found = sorted(item for item in planned if item[-1] == text)
    if len(found) > 1:
        raise RestoreError(f"{text!r} may be {' or '.join('.'.join(item) for item in found)}: write the schema too")
    return found[0] if found else asset
