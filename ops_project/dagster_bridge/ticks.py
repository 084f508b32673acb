"""Schedules and sensors of Dagster as plain values: when they should have ticked, and how their last tick went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType, TickData, TickStatus
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from dagster._serdes import deserialize_value
from dagster._utils.schedules import get_latest_completed_cron_tick, get_next_cron_tick
from sqlalchemy import select

from ops_project.dagster_bridge.run_tags import DOMAIN_TAG

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
    """Name → cron, zone, job and the job's domain, to be kept for who has no definitions."""
    return {
        schedule.name: {
            "cron": str(schedule.cron_schedule),
            "zone": schedule.execution_timezone or "UTC",
            "job": schedule.job_name,
            "domain": repository.get_job(schedule.job_name).tags.get(DOMAIN_TAG, ""),
        }
        for schedule in repository.schedule_defs
    }


def instigators(instance: dg.DagsterInstance) -> list[Instigator]:
    """Those that run, with their last ended tick."""
    running = [state for state in instance.all_instigator_state() if state.status != InstigatorStatus.STOPPED]
    ticks = last_ticks(instance, [state.selector_id for state in running])
    result = []
    for state in running:
        tick = ticks.get(state.selector_id)
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


def last_ticks(instance: dg.DagsterInstance, selectors: Sequence[str]) -> dict[str, TickData]:
    """Selector → its last ended tick; nothing where Dagster keeps its ticks in memory.

    Not by `instance.get_ticks`: its condition has an OR that keeps SQLite from the index, and it connects each time.
    Measured with 12 instigators and 27,000 ticks: 63 ms, and 4 ms so.
    """
    storage = instance.schedule_storage
    if not isinstance(storage, SqlScheduleStorage):
        return {}
    found = {}
    with storage.connect() as connection:
        for selector in selectors:
            newest = (
                select(JobTickTable.c.tick_body)
                .where(JobTickTable.c.selector_id == selector, JobTickTable.c.status.in_([s.value for s in ENDED]))
                .order_by(JobTickTable.c.timestamp.desc())
                .limit(1)
            )
            if (body := connection.execute(newest).scalar()) is not None:
                found[selector] = deserialize_value(body, TickData)
    return found


def last_due(schedule: Mapping[str, str], now: datetime) -> datetime:
    """The latest moment, not after `now`, at which this schedule should have ticked."""
    return get_latest_completed_cron_tick(schedule["cron"], now, schedule["zone"]).astimezone(UTC)


def next_due(schedule: Mapping[str, str], now: datetime) -> datetime:
    """The next moment at which it will tick."""
    return get_next_cron_tick(schedule["cron"], now, schedule["zone"]).astimezone(UTC)
