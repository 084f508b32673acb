"""The state of each service level: what is not built yet, when it is expected, and for how much of the measured time
the service level was met. Only our own signals are read. A pipeline that has never run in this home has no state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.sla import Sla
from ops_project.operations.alerting.decide.clock import believed_until
from ops_project.operations.alerting.service_levels.durations import Baseline, critical_path, slowest_step
from ops_project.operations.alerting.service_levels.expected import (
    Outlook,
    applies,
    day_start,
    due_at,
    last_due,
    outlook,
)
from ops_project.operations.alerting.service_levels.uptime import Interval
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.schedules_document import next_start

BASELINES = "baselines"
UPTIME = "uptime"
# If the reading of a running step is older than this, the run has ended.
RUNNING_NOW = timedelta(minutes=2)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What the signals say about builds and runs."""

    built: Mapping[str, datetime]
    """Asset → its last successful build that was seen. For a table that consumers read, its last publication counts."""
    seen: Mapping[str, datetime]
    """Pipeline → its first signal."""
    succeeded: Mapping[str, datetime]
    """Pipeline → its last success."""
    running: Mapping[str, Mapping[str, float]]
    """Pipeline → each step that runs now → its seconds so far."""


@dataclass(frozen=True)
class Standing:
    """One service level on the day of `now`."""

    wanted: tuple[str, ...]
    """Those of the service level's assets that exist in this home."""
    applies: bool
    """Whether the service level is due today, and its pipeline ran in this home before today."""
    deadline: datetime
    outlook: Outlook
    up: bool | None
    """Whether the assets were built after they were last due; None if nothing has been due yet."""


def delivered(ledger: Ledger, now: datetime) -> dict[str, datetime]:
    """Asset → when it was last delivered, up to `now`. An asset is delivered by a successful build. A table whose
    publication is observed is delivered only when consumers can read it; its value is NEVER if all its builds were held
    back.
    """
    found = ledger.last_ok("asset.failure", believed_until(now))
    published = ledger.last_ok("publication.held", believed_until(now))
    for signal in ledger.latest("publication.held").values():
        found[signal.asset] = published.get(signal.asset, NEVER)
    return found


def known(ledger: Ledger, now: datetime) -> Known:
    """Read from the ledger what all service levels need."""
    running: dict[str, dict[str, float]] = {}
    for signal in ledger.latest("step.duration_seconds").values():
        if signal.value and now - signal.event_at <= RUNNING_NOW:
            so_far = signal.value + (now - signal.event_at).total_seconds()
            running.setdefault(signal.pipeline, {})[signal.check] = so_far
    # A failed run shows that the pipeline is in use, so it counts for `seen`. A pipeline that succeeded today and
    # failed afterwards has still succeeded.
    succeeded = ledger.last_ok("run.failure", believed_until(now))
    return Known(delivered(ledger, now), ledger.first_seen("run.failure"), succeeded, running)


def baselines(ledger: Ledger) -> dict[str, Baseline]:
    """Pipeline → how long its successful runs took."""
    return {job: Baseline.parse(data) for job, data in (ledger.document(BASELINES) or {}).items()}


def standing(
    sla: Sla, catalog: Catalog, ledger: Ledger, *, lineage: Lineage, facts: Known, baseline: Baseline, now: datetime
) -> Standing:
    """The state of `sla` at `now`."""
    zone = catalog.platform.zone
    today = now.astimezone(zone).date()
    first = facts.seen.get(sla.pipeline, now)
    wanted = tuple(asset for asset in sla.assets if asset in lineage.assets)
    due = applies(sla.days, today) and first < day_start(today, zone)
    deadline = due_at(sla, today, zone)
    fresh = frozenset(asset for asset, at in facts.built.items() if at >= day_start(today, zone))
    upstream = {key: fact.upstream for key, fact in lineage.assets.items()}
    remaining = critical_path(wanted, fresh, upstream, baseline, facts.running.get(sla.pipeline))
    step = slowest_step(wanted, fresh, upstream, baseline, facts.running.get(sla.pipeline))
    starts_at = next_start(ledger, sla.pipeline, now, deadline) if due else None
    at = outlook(
        wanted,
        facts.built,
        day=today,
        deadline=deadline,
        warn_before=sla.warn_before,
        remaining_seconds=remaining,
        starts_at=starts_at,
        zone=zone,
        now=now,
        step=step,
    )
    last = last_due(sla, now, zone)
    up = None
    if last is not None and first < day_start(last, zone):
        up = ready(wanted, facts.built, day_start(last, zone))
    return Standing(wanted, due, deadline, at, up)


def ready(wanted: Sequence[str], built: Mapping[str, datetime], since: datetime) -> bool:
    """Whether each asset was built at or after `since`."""
    return all(built.get(asset, NEVER) >= since for asset in wanted)


def measured(ledger: Ledger) -> dict[str, list[Interval]]:
    """Service level → its measured intervals, the oldest first."""
    body: dict[str, list[list[Any]]] = ledger.document(UPTIME) or {}
    return {
        name: [Interval(datetime.fromisoformat(start), datetime.fromisoformat(end), up) for start, end, up in rows]
        for name, rows in body.items()
    }


def dump(found: Mapping[str, Sequence[Interval]]) -> dict[str, list[list[Any]]]:
    """The inverse of `measured`: the intervals in the form in which the ledger stores them."""
    return {
        name: [[item.start.isoformat(), item.end.isoformat(), item.up] for item in items]
        for name, items in found.items()
    }
