"""Observer of schedules and sensors: those whose tick failed, and schedules that did not tick when they should have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ops_project.dagster_bridge import ticks as bridge
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.operations.ledger.schedules_document import DOCUMENT as SCHEDULES

# The daemon ticks within seconds. After a restart, it makes up for a missed tick within its first minute.
GRACE = timedelta(minutes=10)


def look(view: View) -> Observation:
    """One signal for each change. In a home without a daemon, no schedule or sensor is expected to tick."""
    schedules = view.ledger.document(SCHEDULES) or {}
    failing_before = _firing(view, "schedule.tick_failure")
    missed_before = _firing(view, "schedule.tick_missed")
    signals: list[Signal] = []
    running = [
        item
        for item in bridge.instigators(view.instance)
        # Dagster keeps the state of a schedule even after its definition was removed.
        if not (item.schedule and schedules) or item.name in schedules
    ]
    for item in running:
        schedule = schedules.get(item.name)
        if item.failed != (item.name in failing_before) and item.last_tick_at is not None:
            signals.append(
                _signal(
                    view,
                    "schedule.tick_failure",
                    item.failed,
                    name=item.name,
                    at=item.last_tick_at,
                    words=item.error,
                    schedule=schedule,
                )
            )
        if item.schedule and schedule is not None:
            due = bridge.last_due(schedule, view.now - GRACE)
            known = item.created_at.timestamp() > 0 or item.last_tick_at is not None
            missed = known and due > item.created_at and (item.last_tick_at is None or item.last_tick_at < due)
            if missed != (item.name in missed_before):
                words = f"due {due:%Y-%m-%d %H:%M} UTC" if missed else ""
                at = due if missed else view.now
                signals.append(
                    _signal(view, "schedule.tick_missed", missed, name=item.name, at=at, words=words, schedule=schedule)
                )
    names = {item.name for item in running}
    for kind, firing in (("schedule.tick_failure", failing_before), ("schedule.tick_missed", missed_before)):
        # A schedule that was switched off or removed is no longer expected to tick.
        signals += [
            _signal(
                view,
                kind,
                False,
                name=name,
                at=view.now,
                words="it does not run any more",
                schedule=schedules.get(name),
            )
            for name in sorted(firing - names)
        ]
    return Observation(signals)


def _firing(view: View, kind: str) -> set[str]:
    return {signal.check for signal in view.ledger.latest(kind).values() if signal.state == FIRING}


def _signal(
    view: View, kind: str, firing: bool, *, name: str, at: datetime, words: str, schedule: Mapping[str, str] | None
) -> Signal:
    job, domain = (schedule or {}).get("job", ""), (schedule or {}).get("domain", "")
    owners = view.catalog.domain(domain).owners if domain in view.catalog.domain_ids() else ()
    return view.state(
        kind,
        firing,
        at=at.astimezone(UTC),
        occurrence=f"{name}:{at.isoformat()}",
        check=name,
        pipeline="",
        message=words,
        failure_class="orchestrator_down" if kind.endswith("missed") else "code_error",
        labels={"job": job} if job else {},
        domain=domain,
        owners=tuple(map(view.catalog.owners.dagster, owners)),
    )
