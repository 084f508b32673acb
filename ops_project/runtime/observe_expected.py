"""Observer: daily successes that did not come, SLAs that are missed or will be. Looks at our own signals only, so that
it works without Dagster; a pipeline that never ran here is not expected to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ops_project.model.signal import FIRING, OK, Signal
from ops_project.model.sla import Sla
from ops_project.operations.durations import Baseline, critical_path
from ops_project.operations.expected import applies, at_clock, day_start, outlook
from ops_project.runtime.observing import Observation, View
from ops_project.runtime.schedules_kept import next_start

BASELINES = "baselines"


def look(view: View) -> Observation:
    """One signal for each change."""
    zone = view.catalog.platform.zone
    today = view.now.astimezone(zone).date()
    built = _built(view)
    # A failed run is a trace of the pipeline too: only one that never showed itself is left alone.
    known, succeeded = _pipelines(view)
    found: list[Signal] = []
    for item in view.catalog.slas.expectations.values():
        if not item.enabled:
            continue
        deadline = at_clock(today, item.by, zone)
        done = succeeded.get(item.pipeline)
        start = day_start(today, zone)
        if applies(item.days, today) and view.now >= deadline and known.get(item.pipeline, view.now) < start:
            missing = done is None or done < start
            words = f"no success of {item.pipeline} on {today}, expected by {item.by}" if missing else ""
            found += _changed(
                view, "expectation.missing", missing, item.pipeline, item.domain, item.title, today, words, {}, deadline
            )
        found += _late(
            view,
            "expectation.missing",
            item.title,
            today,
            lambda day, d=done: d is not None and d >= day_start(day, zone),
        )
    baselines = {job: Baseline.parse(data) for job, data in (view.ledger.document(BASELINES) or {}).items()}
    for name, sla in view.catalog.slas.slas.items():
        if sla.enabled and any(asset in view.lineage.assets for asset in sla.assets):
            found += _sla(view, name, sla, today, built, known, baselines.get(sla.pipeline, Baseline()))
    return Observation(found)


def _sla(
    view: View, name: str, sla: Sla, today: date, built: Mapping[str, datetime], known: Mapping[str, datetime],
    baseline: Baseline,
) -> list[Signal]:  # fmt: skip
    zone = view.catalog.platform.zone
    found: list[Signal] = []
    labels = {"sla": name}
    owners = tuple(dict.fromkeys(owner for asset in sla.assets for owner in view.lineage.get(asset).owners))
    if applies(sla.days, today) and known.get(sla.pipeline, view.now) < day_start(today, zone):
        wanted = [asset for asset in sla.assets if asset in view.lineage.assets]
        fresh = frozenset(asset for asset, at in built.items() if at >= day_start(today, zone))
        upstream = {key: fact.upstream for key, fact in view.lineage.assets.items()}
        deadline = at_clock(today, sla.deadline, zone)
        remaining = critical_path(wanted, fresh, upstream, baseline)
        at = outlook(wanted, built, today, deadline, sla.warn_before, remaining,
                     next_start(view.ledger, sla.pipeline, view.now, deadline), zone, view.now)  # fmt: skip
        found += _changed(view, "sla.at_risk", at.at_risk, sla.pipeline, sla.domain, sla.title, today, at.why, labels,
                          view.now, owners)  # fmt: skip
        found += _changed(view, "sla.breach", at.breached, sla.pipeline, sla.domain, sla.title, today, at.why, labels,
                          deadline if at.breached else view.now, owners)  # fmt: skip

    def ready(day: date) -> bool:
        start = day_start(day, zone)
        return all(
            built.get(asset, datetime.min.replace(tzinfo=UTC)) >= start
            for asset in sla.assets
            if asset in view.lineage.assets
        )

    for kind in ("sla.at_risk", "sla.breach"):
        found += _late(view, kind, sla.title, today, ready if kind == "sla.breach" else lambda _day: True)
    return found


def _built(view: View) -> dict[str, datetime]:
    """Asset → its last successful build that was seen."""
    return view.ledger.last_ok("asset.failure")


def _pipelines(view: View) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """(pipeline → first sign of it, pipeline → last success): what succeeded today and failed since has succeeded."""
    return view.ledger.first_seen("run.failure"), view.ledger.last_ok("run.failure")


def _changed(
    view: View, kind: str, firing: bool, pipeline: str, domain: str, title: str, day: date, words: str,
    labels: dict[str, str], at: datetime, owners: tuple[str, ...] = (),
) -> list[Signal]:  # fmt: skip
    signal = Signal(
        kind=kind, state=FIRING if firing else OK, value=float(firing), event_at=at, observed_at=view.now,
        occurrence=view.now.isoformat(), pipeline=pipeline, domain=domain, partition=str(day), check=title,
        owners=owners or _domain_owners(view, domain), message=words, failure_class="sla_breach", labels=labels,
    )  # fmt: skip
    before = view.ledger.latest(kind).get(signal.fingerprint)
    return [] if (before.state if before else OK) == signal.state else [signal]


def _late(view: View, kind: str, title: str, today: date, repaired: Any) -> list[Signal]:
    """The ok of earlier days, once what was missing has come."""
    found = []
    for before in view.ledger.latest(kind).values():
        if before.state == FIRING and before.check == title and before.partition != str(today):
            day = date.fromisoformat(before.partition)
            if repaired(day) or view.now - before.event_at > timedelta(days=7):
                found.append(
                    Signal(kind=kind, state=OK, value=0.0, event_at=view.now, observed_at=view.now,
                           occurrence=view.now.isoformat(), pipeline=before.pipeline, domain=before.domain,
                           partition=before.partition, check=title, labels=dict(before.labels))
                )  # fmt: skip
    return found


def _domain_owners(view: View, domain: str) -> tuple[str, ...]:
    return tuple(view.catalog.owners.dagster(owner) for owner in view.catalog.domain(domain).owners)
