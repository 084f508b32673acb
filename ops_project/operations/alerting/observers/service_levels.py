"""Observer: daily successes that did not come, SLAs that are missed or will be, and their uptime. Looks at our own
signals only, so that it works without Dagster; a pipeline that never ran here is not expected to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.model.alerting.sla import Sla
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.durations import Baseline
from ops_project.operations.alerting.service_levels.expected import applies, at_clock, day_start
from ops_project.operations.alerting.service_levels.uptime import (
    ENOUGH,
    Interval,
    forgotten,
    looked,
    measured_time,
    uptime,
)


def look(view: View) -> Observation:
    """One signal for each change."""
    zone = view.catalog.platform.zone
    today = view.now.astimezone(zone).date()
    facts = service_levels.known(view.ledger, view.now)
    found: list[Signal] = []
    for item in view.catalog.slas.expectations.values():
        if not item.enabled:
            continue
        deadline = at_clock(today, item.by, zone)
        done = facts.succeeded.get(item.pipeline)
        start = day_start(today, zone)
        if applies(item.days, today) and view.now >= deadline and facts.seen.get(item.pipeline, view.now) < start:
            missing = done is None or done < start
            words = f"no success of {item.pipeline} on {today}, expected by {item.by}" if missing else ""
            found += _changed(
                view, "expectation.missing", missing, item.pipeline, item.domain, item.title, today, words, {}, deadline
            )
        found += _late(view, "expectation.missing", item.title, today, partial(_came_since, done, zone))
    baselines = service_levels.baselines(view.ledger)
    before = service_levels.measured(view.ledger)
    # What cannot be looked at now (no graph is known yet, or its file is not there) was measured all the same.
    after = {name: found for name, found in before.items() if not forgotten(found, view.now)}
    for name, sla in view.catalog.slas.slas.items():
        if sla.enabled and any(asset in view.lineage.assets for asset in sla.assets):
            at = service_levels.standing(
                sla, view.catalog, view.ledger, view.lineage, facts, baselines.get(sla.pipeline, Baseline()), view.now
            )
            found += _deadline(view, name, sla, today, at, facts)
            if at.up is not None:
                after[name] = looked(before.get(name, []), view.now, at.up)
            found += _uptime(view, name, sla, after.get(name, []))
    if after != before:
        body = service_levels.dump(after)
        view.ledger.put_document(service_levels.UPTIME, body, digest(repr(body)), view.now)
    return Observation(found)


def _came_since(done: datetime | None, zone: ZoneInfo, day: date) -> bool:
    return done is not None and done >= day_start(day, zone)


def _deadline(
    view: View, name: str, sla: Sla, today: date, at: service_levels.Standing, facts: service_levels.Known
) -> list[Signal]:
    zone = view.catalog.platform.zone
    found: list[Signal] = []
    labels = _labels(name, sla)
    owners = tuple(dict.fromkeys(owner for asset in sla.assets for owner in view.lineage.get(asset).owners))
    missing = at.outlook.missing
    if at.applies:
        found += _changed(
            view,
            "sla.at_risk",
            at.outlook.at_risk,
            sla.pipeline,
            sla.domain,
            sla.title,
            today,
            at.outlook.why,
            labels,
            view.now,
            owners,
            missing,
        )
        found += _changed(
            view,
            "sla.breach",
            at.outlook.breached,
            sla.pipeline,
            sla.domain,
            sla.title,
            today,
            at.outlook.why,
            labels,
            at.deadline if at.outlook.breached else view.now,
            owners,
            missing,
        )

    def came(day: date) -> bool:
        return service_levels.ready(at.wanted, facts.built, day_start(day, zone))

    found += _late(view, "sla.at_risk", sla.title, today, lambda _day: True)
    return found + _late(view, "sla.breach", sla.title, today, came)


def _uptime(view: View, name: str, sla: Sla, measured: list[Interval]) -> list[Signal]:
    """Below its target, of at least a day that was measured. Unknown says nothing, and repairs nothing."""
    share, total = uptime(measured, view.now), measured_time(measured, view.now)
    if sla.uptime_target is None or share is None or total < ENOUGH:
        return []
    below = share < sla.uptime_target
    words = (
        f"{share:.2f} % of {total.total_seconds() / 86400:.1f} measured days, and {sla.uptime_target:g} % are promised"
        if below
        else ""
    )
    signal = Signal(
        kind="sla.uptime_low",
        state=FIRING if below else OK,
        value=float(below),
        event_at=view.now,
        observed_at=view.now,
        occurrence=view.now.isoformat(),
        pipeline=sla.pipeline,
        domain=sla.domain,
        check=sla.title,
        owners=_domain_owners(view, sla.domain),
        message=words,
        failure_class="sla_breach",
        labels=_labels(name, sla),
    )
    before = view.ledger.latest("sla.uptime_low").get(signal.fingerprint)
    return [] if (before.state if before else OK) == signal.state else [signal]


def _labels(name: str, sla: Sla) -> dict[str, str]:
    return {"sla": name, "sla_severity": sla.severity}


def _changed(
    view: View,
    kind: str,
    firing: bool,
    pipeline: str,
    domain: str,
    title: str,
    day: date,
    words: str,
    labels: dict[str, str],
    at: datetime,
    owners: tuple[str, ...] = (),
    assets: tuple[str, ...] = (),
) -> list[Signal]:
    signal = Signal(
        kind=kind,
        state=FIRING if firing else OK,
        value=float(firing),
        event_at=at,
        observed_at=view.now,
        occurrence=view.now.isoformat(),
        pipeline=pipeline,
        domain=domain,
        partition=str(day),
        check=title,
        owners=owners or _domain_owners(view, domain),
        message=words,
        failure_class="sla_breach",
        labels=labels,
        assets=assets if firing else (),
    )
    before = view.ledger.latest(kind).get(signal.fingerprint)
    return [] if (before.state if before else OK) == signal.state else [signal]


def _late(view: View, kind: str, title: str, today: date, repaired: Callable[[date], bool]) -> list[Signal]:
    """The ok of earlier days, once what was missing has come."""
    found = []
    for before in view.ledger.latest(kind).values():
        if before.state == FIRING and before.check == title and before.partition != str(today):
            day = date.fromisoformat(before.partition)
            if repaired(day) or view.now - before.event_at > timedelta(days=7):
                found.append(
                    Signal(
                        kind=kind,
                        state=OK,
                        value=0.0,
                        event_at=view.now,
                        observed_at=view.now,
                        occurrence=view.now.isoformat(),
                        pipeline=before.pipeline,
                        domain=before.domain,
                        partition=before.partition,
                        check=title,
                        labels=dict(before.labels),
                    )
                )
    return found


def _domain_owners(view: View, domain: str) -> tuple[str, ...]:
    return tuple(view.catalog.owners.dagster(owner) for owner in view.catalog.domain(domain).owners)
