"""Plans a backfill (building past dates again) of a table or a domain, and applies exactly that plan. A tag of each run
names the plan, so the runs show which part is done. A backfill that was killed can therefore continue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches

import dagster as dg
import duckdb
from dagster import DagsterRunStatus, RunsFilter

from ops_project.counted import counted
from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.asset_graph import asset_name, lineage_of
from ops_project.dagster_bridge.run_tags import BACKFILL_TAG, DOMAIN_TAG
from ops_project.defs.shared import partitions
from ops_project.defs.shared.domain_run import DomainRun
from ops_project.defs.shared.held import held_now
from ops_project.defs.shared.partial import Part, execute
from ops_project.defs.shared.run_session import Watcher
from ops_project.defs.shared.site import Site
from ops_project.lineage import Lineage
from ops_project.pipeline.landing import contract_hash, pending
from ops_project.pipeline.recovery import plans
from ops_project.pipeline.recovery.decide.backfill import (
    DAYS_IN_A_RUN,
    Now,
    PastRun,
    Plan,
    Window,
    estimated,
    failed_days,
    stale,
)
from ops_project.pipeline.recovery.decide.backfill import windows_of as runs_of
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse import snapshots
from ops_project.process import locks
from ops_project.process.code_version import sources_key
from ops_project.process.kill_points import reach
from ops_project.sql_text import relation

HISTORY = 200
SHOWN_DAYS = 10


@dataclass(frozen=True)
class Asked:
    """The backfill that a person asks for."""

    target: str
    """A domain, or `schema.table`."""
    first: date
    last: date
    failed_only: bool = False
    days_in_a_run: int = DAYS_IN_A_RUN


def plan(site: Site, definitions: dg.Definitions, instance: dg.DagsterInstance, asked: Asked) -> Plan:
    """The plan of a backfill. It is stored under its hash, so that a later call can apply it. Raises RestoreError."""
    lineage = lineage_of(definitions)
    domain, start = _target(site, lineage, asked.target)
    job = site.catalog.domains.main_job(domain)
    ours = {asset_name(key) for key in definitions.resolve_job_def(job).asset_layer.selected_asset_keys}
    below = lineage.descendants(start) if start else frozenset()
    if start and start not in ours:
        raise RestoreError(f"{asked.target} is not part of {job}, which builds {domain}: it has a job of its own")
    built = sorted(({start} | (below & ours)) if start else ours)
    days = [asked.first + timedelta(days=n) for n in range((asked.last - asked.first).days + 1)]
    past = _past(instance, domain)
    left_out: list[tuple[str, str]] = []
    if asked.failed_only:
        days = failed_days(past, days)
        if not days:
            raise RestoreError(
                f"no date from {asked.first} to {asked.last} needs a backfill: its last run of {domain} has not failed"
            )
    feeds = _feeds(site, domain, start, lineage)
    known = _landed(site, feeds, days)
    if known is not None:
        empty = [day for day in days if day not in known]
        if empty:
            shown = ", ".join(map(str, empty[:SHOWN_DAYS])) + (" …" if len(empty) > SHOWN_DAYS else "")
            left_out.append(
                (f"{counted(len(empty), 'date')} without a landed row: {shown}", "there is nothing to build from")
            )
    left_out += _left_out(site, lineage, start, domain, built)
    windows = runs_of(days, asked.days_in_a_run)
    seconds, basis = estimated(windows, past)
    kept = snapshots.existing(site.settings)
    made = Plan(
        target=asked.target,
        domain=domain,
        job=job,
        windows=windows,
        assets=tuple(key.replace("/", ".") for key in built),
        downstream=tuple(key.replace("/", ".") for key in built if key in below),
        left_out=tuple(left_out),
        rows=None if known is None else sum(known.values()),
        seconds=None if seconds is None else round(seconds, 1),
        basis=basis,
        state=_state(site, domain),
        waiting=_waiting(site, domain),
        snapshot=kept[-1].id if kept else None,
    )
    plans.keep(site.settings, made)
    return made


def remaining(instance: dg.DagsterInstance, wanted: Plan) -> list[Window]:
    """The ranges of dates in the plan for which no run has succeeded yet."""
    done = {
        partitions.window_of(record.dagster_run.tags)
        for record in _runs(instance, wanted)
        if record.dagster_run.status == DagsterRunStatus.SUCCESS
    }
    return [window for window in wanted.windows if window not in done]


def apply(
    site: Site,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    wanted: Plan,
    *,
    watcher: Watcher,
    clock: Callable[[], datetime],
    ended: Callable[[DomainRun], None],
) -> list[DomainRun]:
    """Do the part of the plan that is not done yet, the oldest dates first. After a failed run, no other run begins.

    Raises RestoreError before anything is built, if the state has changed since the plan was made.
    """

    def on_wait(holder: locks.Holder | None) -> None:
        watcher.waiting(str(holder or "another process"))

    done: list[DomainRun] = []
    with locks.hold(site.settings.lock, owner=f"ops backfill {wanted.target}", now=clock(), on_wait=on_wait):
        bridge.mark_dead_runs(instance, clock())
        kept = snapshots.existing(site.settings)
        by_us = {record.dagster_run.run_id for record in _runs(instance, wanted)}
        now = Now(
            state=_state(site, wanted.domain),
            waiting=frozenset(_waiting(site, wanted.domain)),
            snapshot=kept[-1].id if kept else None,
            ours=frozenset(item.id for item in kept if item.manifest.get("run_id") in by_us),
            begun=bool(by_us),
        )
        why = stale(wanted, now)
        if why is not None:
            raise RestoreError(f"{why}. Nothing was built: make the plan anew, with the same command without --apply")
        for window in remaining(instance, wanted):
            part = Part(
                job=wanted.job,
                domain=wanted.domain,
                assets=frozenset(tuple(name.split(".")) for name in wanted.assets),
                window=window,
                tags={BACKFILL_TAG: wanted.hash, partitions.MODE: "exact"},
            )
            done.append(execute(definitions, instance, part, watcher, clock()))
            ended(done[-1])
            reach(f"backfill:{window[1]}")
            if done[-1].failed:
                break
    return done


def _runs(instance: dg.DagsterInstance, wanted: Plan) -> Sequence[dg.RunRecord]:
    return instance.get_run_records(RunsFilter(tags={BACKFILL_TAG: wanted.hash}))


def _target(site: Site, lineage: Lineage, text: str) -> tuple[str, str]:
    """The domain and the asset key that `text` names. If `text` is a domain, the asset key is empty. Raises
    RestoreError, whose message lists the valid names.
    """
    if text in site.catalog.domain_ids():
        return text, ""
    key = text.replace(".", "/")
    found = [key] if key in lineage.assets else sorted(item for item in lineage.assets if item.split("/")[-1] == text)
    if len(found) > 1:
        raise RestoreError(f"{text!r} may be {' or '.join(item.replace('/', '.') for item in found)}: write the schema")
    if not found or not lineage.get(found[0]).domain:
        domains = site.catalog.domain_ids()
        tables = [key.replace("/", ".") for key, facts in lineage.assets.items() if facts.domain]
        near = get_close_matches(text, [*domains, *tables, *(name.partition(".")[2] for name in tables)], 3, 0.7)
        meant = f" (did you mean {' or '.join(dict.fromkeys(near))}?)" if near else ""
        raise RestoreError(
            f"{text!r} is neither a domain nor a table that is built{meant}; domains: {', '.join(domains)}"
        )
    return lineage.get(found[0]).domain, found[0]


def _feeds(site: Site, domain: str, start: str, lineage: Lineage) -> list[str]:
    """The feeds whose landed tables the target is built from."""
    names = [feed.name for feed in site.catalog.feeds_of(domain)]
    if not start:
        return names
    above = {start, *lineage.ancestors(start)}
    return [feed.name for feed in site.catalog.feeds.values() if f"bronze/{feed.name}" in above]


def _landed(site: Site, feeds: Sequence[str], days: Sequence[date]) -> dict[date, int] | None:
    """Business date → landed rows in the newest snapshot; None if there is no snapshot."""
    found: dict[date, int] = {}
    try:
        with snapshots.open(snapshots.newest(site.settings)) as connection:
            for feed in feeds:
                try:
                    rows = connection.execute(
                        f"SELECT business_date, count(*) FROM {relation(f'bronze.{feed}')} "
                        "WHERE business_date BETWEEN ? AND ? GROUP BY 1",
                        [min(days), max(days)],
                    ).fetchall()
                except duckdb.CatalogException:
                    continue  # The feed is newer than the snapshot.
                for day, count in rows:
                    if day in set(days):
                        found[day] = found.get(day, 0) + int(count)
    except snapshots.NoSnapshot:
        return None
    return found


def _left_out(site: Site, lineage: Lineage, start: str, domain: str, built: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    if start:
        above = sorted(key for key in lineage.ancestors(start) if lineage.get(key).domain == domain)
        if above:
            found.append((_listed(above), "upstream of the target: taken as they are"))
    below = {key for item in built for key in lineage.descendants(item)} - set(built)
    for other in sorted({lineage.get(key).domain for key in below if lineage.get(key).domain not in ("", domain)}):
        keys = sorted(key for key in below if lineage.get(key).domain == other)
        found.append((_listed(keys), f"downstream, and belongs to {other}: `ops backfill {other}` builds it"))
    apart = sorted(key for key in below if lineage.get(key).domain == domain)
    if apart:
        found.append((_listed(apart), "downstream, and built by a job of its own"))
    held = held_now(site.settings)
    on_hold = sorted(key for key in built if key in held)
    if on_hold:
        found.append((_listed(on_hold), "on hold: `ops release` ends it"))
    landed = sorted(key for key in built if key.startswith("bronze/"))
    if landed:
        found.append(
            (
                _listed(landed),
                "landed rows stay as they are; only waiting files of these dates are landed. "
                "`ops feed replay` reads archived files again",
            )
        )
    return found


def _listed(keys: Sequence[str], most: int = 8) -> str:
    names = [key.replace("/", ".") for key in keys]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _past(instance: dg.DagsterInstance, domain: str) -> list[PastRun]:
    """The newest runs of a domain that have ended and have dates in their tags, the oldest of them first."""
    found = []
    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
    for record in instance.get_run_records(RunsFilter(tags={DOMAIN_TAG: domain}, statuses=ended), limit=HISTORY):
        window = partitions.window_of(record.dagster_run.tags)
        if window is None or record.start_time is None or record.end_time is None:
            continue
        found.append(
            PastRun(
                *window,
                succeeded=record.dagster_run.status == DagsterRunStatus.SUCCESS,
                seconds=record.end_time - record.start_time,
            )
        )
    return found[::-1]


def _state(site: Site, domain: str) -> str:
    """Digest of the code, the SQL, the contracts and the holds. They decide what a backfill builds, together with the
    warehouse and the waiting files.
    """
    feeds = site.catalog.feeds_of(domain)
    models = sorted(
        (name, node.get("checksum", {}).get("checksum", ""))
        for name, node in site.dbt.json["nodes"].items()
        if node["resource_type"] == "model"
    )
    said = {
        "code": sources_key(),
        "models": models,
        "contracts": sorted(
            (feed.name, [contract_hash(feed, contract) for contract in feed.contracts()]) for feed in feeds
        ),
        "holds": sorted(held_now(site.settings)),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _waiting(site: Site, domain: str) -> tuple[str, ...]:
    feeds = site.catalog.feeds_of(domain)
    return tuple(sorted({file.name for feed in feeds for file in pending(feed, site.settings.inbound)}))
