"""Schedules and sensors of Dagster as plain values: when they should have ticked, and how their last tick went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType, TickStatus
from dagster._utils.schedules import get_latest_completed_cron_tick, get_next_cron_tick

ENDED = [TickStatus.SUCCESS, TickStatus.FAILURE, TickStatus.SKIPPED]


@dataclass(frozen=True)
class Instigator:
    """A schedule or sensor that runs."""

    name: str
    schedule: bool
    created_at: datetime
    last_tick_at: datetime | None
    failed: bool
    error: str


def schedules_of(repository: dg.RepositoryDefinition) -> dict[str, dict[str, str]]:
    """Name → cron, zone and job, to be kept for who has no definitions."""
    return {
        schedule.name: {
            "cron": str(schedule.cron_schedule),
            "zone": schedule.execution_timezone or "UTC",
            "job": schedule.job_name,
        }
        for schedule in repository.schedule_defs
    }


def instigators(instance: dg.DagsterInstance, after: str = "", limit: int | None = None) -> list[Instigator]:
    """Those that run, by name, with their last ended tick: the `limit` next ones after `after`, round and round.

    Measured with 12 of them and 26,000 ticks: the list 3 ms, the last tick of each 5 ms.
    """
    running = [state for state in instance.all_instigator_state() if state.status != InstigatorStatus.STOPPED]
    running.sort(key=lambda state: (state.name <= after, state.name, state.selector_id))
    result = []
    for state in running[:limit]:
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=ENDED)
        tick = ticks[0] if ticks else None
        data: Any = state.instigator_data
        created = getattr(data, "start_timestamp", None)
        result.append(
            Instigator(
                name=state.name,
                schedule=state.instigator_type == InstigatorType.SCHEDULE,
                created_at=datetime.fromtimestamp(created, UTC) if created else datetime.fromtimestamp(0, UTC),
                last_tick_at=datetime.fromtimestamp(tick.timestamp, UTC) if tick else None,
                failed=tick is not None and tick.status == TickStatus.FAILURE,
                error=tick.error.message.strip() if tick is not None and tick.error is not None else "",
            )
        )
    return result


def last_due(schedule: Mapping[str, str], now: datetime) -> datetime:
    """The latest moment, not after `now`, at which this schedule should have ticked."""
    return get_latest_completed_cron_tick(schedule["cron"], now, schedule["zone"]).astimezone(UTC)


def next_due(schedule: Mapping[str, str], now: datetime) -> datetime:
    """The next moment at which it will tick."""
    return get_next_cron_tick(schedule["cron"], now, schedule["zone"]).astimezone(UTC)
