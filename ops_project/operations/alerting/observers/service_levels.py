"""Observer of daily successes that are missing, of service levels that are missed or will be missed, and of their
uptime. It reads only our own signals, so it works without Dagster. A pipeline that has never run in this home is not
expected to run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.model.alerting.sla import Expectation, Sla
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.durations import Baseline
from ops_project.operations.alerting.service_levels.expected import applies, at_clock, day_start, due_at
from ops_project.operations.alerting.service_levels.uptime import (
    ENOUGH,
    Interval,
    forgotten,
    looked,
    measured_time,
    uptime,
)

# If a deadline passed while no cycle ran, it is reported up to this many days later. This covers a weekend without a
# machine, and a weekly deadline.
UNSEEN_DAYS = 7
LOOKED = "service_levels_looked"


def look(view: View) -> Observation:
    """One signal for each state that has changed."""
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
            found += _expected(view, item, today, missing=missing, at=deadline)
        found += _not_come_unseen(view, item, today, done, facts)
        found += _late(view, "expectation.missing", item.title, today, partial(_came_since, done, zone))
    found += _no_longer_promised(view)
    baselines = service_levels.baselines(view.ledger)
    before = service_levels.measured(view.ledger)
    # Sometimes a service level cannot be judged: no graph is known yet, or its configuration file is missing. Its
    # earlier measurements are kept even then.
    after = {name: found for name, found in before.items() if not forgotten(found, view.now)}
    for name, sla in view.catalog.slas.slas.items():
        if sla.enabled and any(asset in view.lineage.assets for asset in sla.assets):
            at = service_levels.standing(
                sla,
                view.catalog,
                view.ledger,
                lineage=view.lineage,
                facts=facts,
                baseline=baselines.get(sla.pipeline, Baseline()),
                now=view.now,
            )
            found += _deadline(view, name, sla, today=today, at=at, facts=facts)
            if at.up is not None:
                after[name] = looked(before.get(name, []), view.now, at.up)
            found += _uptime(view, name, sla, after.get(name, []))
    if after != before:
        body = service_levels.dump(after)
        view.ledger.put_document(service_levels.UPTIME, body, digest(repr(body)), view.now)
    return Observation(found, {LOOKED: view.now.isoformat()})


def _passed_unseen(view: View, deadline: datetime) -> bool:
    """Whether the deadline passed after the last look, and recently enough to matter."""
    looked_at = view.cursors.get(LOOKED)
    if looked_at is None or view.now - deadline > timedelta(days=UNSEEN_DAYS):
        return False
    return datetime.fromisoformat(looked_at) < deadline <= view.now


def _not_come_unseen(
    view: View, item: Expectation, today: date, done: datetime | None, facts: service_levels.Known
) -> list[Signal]:
    """The signal about an earlier day whose success was missing while no process looked, and has not come since. Only
    the newest such day counts.
    """
    zone = view.catalog.platform.zone
    days = (today - timedelta(days=back) for back in range(1, UNSEEN_DAYS + 1))
    day = next((day for day in days if applies(item.days, day)), None)
    if day is None or facts.seen.get(item.pipeline, view.now) >= day_start(day, zone) or _came_since(done, zone, day):
        return []
    deadline = at_clock(day, item.by, zone)
    if not _passed_unseen(view, deadline):
        return []
    return _expected(view, item, day, missing=True, at=deadline)


def _expected(view: View, item: Expectation, day: date, *, missing: bool, at: datetime) -> list[Signal]:
    """Signal whether the success that is expected on this day has come. It is judged at its deadline `at`."""
    return _changed(
        view,
        "expectation.missing",
        missing,
        pipeline=item.pipeline,
        domain=item.domain,
        title=item.title,
        day=day,
        words=f"no success of {item.pipeline} on {day}, expected by {item.by}" if missing else "",
        labels={},
        at=at,
    )


def _came_since(done: datetime | None, zone: ZoneInfo, day: date) -> bool:
    return done is not None and done >= day_start(day, zone)


def _deadline(
    view: View, name: str, sla: Sla, *, today: date, at: service_levels.Standing, facts: service_levels.Known
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
            pipeline=sla.pipeline,
            domain=sla.domain,
            title=sla.title,
            day=today,
            words=at.outlook.why,
            labels=labels,
            at=view.now,
            owners=owners,
            assets=missing,
        )
        found += _changed(
            view,
            "sla.breach",
            at.outlook.breached,
            pipeline=sla.pipeline,
            domain=sla.domain,
            title=sla.title,
            day=today,
            words=at.outlook.why,
            labels=labels,
            at=at.deadline if at.outlook.breached else view.now,
            owners=owners,
            assets=missing,
        )

    found += _missed_unseen(view, sla, today, at=at, facts=facts, labels=labels, owners=owners)

    def came(day: date) -> bool:
        return service_levels.ready(at.wanted, facts.built, day_start(day, zone))

    found += _late(view, "sla.at_risk", sla.title, today, lambda _day: True)
    return found + _late(view, "sla.breach", sla.title, today, came)


def _missed_unseen(
    view: View,
    sla: Sla,
    today: date,
    *,
    at: service_levels.Standing,
    facts: service_levels.Known,
    labels: dict[str, str],
    owners: tuple[str, ...],
) -> list[Signal]:
    """The breach of an earlier day whose deadline passed while no process looked, unless it has been recorded. Only the
    newest such day counts.
    """
    zone = view.catalog.platform.zone
    days = (today - timedelta(days=back) for back in range(1, UNSEEN_DAYS + 1))
    day = next((day for day in days if applies(sla.days, day)), None)
    first = facts.seen.get(sla.pipeline, view.now)
    if day is None or first >= day_start(day, zone):
        return []
    deadline = due_at(sla, day, zone)
    if not _passed_unseen(view, deadline):
        return []
    begin = day_start(day, zone)
    missing = tuple(asset for asset in at.wanted if facts.built.get(asset, service_levels.NEVER) < begin)
    if not missing:
        return []
    words = f"{len(missing)} of {len(at.wanted)} not ready at the deadline of {day}: {', '.join(missing[:5])}"
    return _changed(
        view,
        "sla.breach",
        True,
        pipeline=sla.pipeline,
        domain=sla.domain,
        title=sla.title,
        day=day,
        words=words,
        labels=labels,
        at=deadline,
        owners=owners,
        assets=missing,
    )


def _uptime(view: View, name: str, sla: Sla, measured: list[Interval]) -> list[Signal]:
    """Signal whether the uptime is below its target. It must have been measured over at least one day. An unknown
    uptime neither opens nor closes an alert.
    """
    share, total = uptime(measured, view.now), measured_time(measured, view.now)
    if sla.uptime_target is None or share is None or total < ENOUGH:
        return []
    below = share < sla.uptime_target
    words = (
        f"{share:.2f} % of {total.total_seconds() / 86400:.1f} measured days; {sla.uptime_target:g} % is promised"
        if below
        else ""
    )
    signal = view.state(
        "sla.uptime_low",
        below,
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
    *,
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
    signal = view.state(
        kind,
        firing,
        at=at,
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
    """The ok signals for earlier days: for a day whose missing success has come, and for a day whose signal is more
    than seven days old.
    """
    found = []
    for before in view.ledger.latest(kind).values():
        if before.state == FIRING and before.check == title and before.partition != str(today):
            day = date.fromisoformat(before.partition)
            if repaired(day) or view.now - before.event_at > timedelta(days=7):
                found.append(
                    view.state(
                        kind,
                        False,
                        pipeline=before.pipeline,
                        domain=before.domain,
                        partition=before.partition,
                        check=title,
                        labels=dict(before.labels),
                    )
                )
    return found


def _no_longer_promised(view: View) -> list[Signal]:
    """The ok signal for a service level or an expectation that was removed, disabled or renamed."""
    # The title identifies a series, together with the pipeline. The name in the configuration may change while the
    # promise stays the same.
    promised = {(sla.pipeline, sla.title) for sla in view.catalog.slas.slas.values() if sla.enabled}
    expected = {(e.pipeline, e.title) for e in view.catalog.slas.expectations.values() if e.enabled}
    found = []
    for kind in ("sla.at_risk", "sla.breach", "sla.uptime_low", "expectation.missing"):
        for before in view.ledger.latest(kind).values():
            known = expected if kind == "expectation.missing" else promised
            if before.state == FIRING and (before.pipeline, before.check) not in known:
                found.append(
                    view.state(
                        kind,
                        False,
                        at=max(view.now, before.event_at),
                        pipeline=before.pipeline,
                        domain=before.domain,
                        partition=before.partition,
                        check=before.check,
                        message=f"{before.check} is no longer promised",
                        labels=dict(before.labels),
                    )
                )
    return found


def _domain_owners(view: View, domain: str) -> tuple[str, ...]:
    return tuple(view.catalog.owners.dagster(owner) for owner in view.catalog.domain(domain).owners)
