"""Schedules and sensors of Dagster as plain values: when they should have ticked, and how their last tick ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from weakref import WeakSet

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, TickData, TickStatus
from dagster._core.storage.schedules.schema import InstigatorsTable, JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from dagster._serdes import deserialize_value
from dagster._utils.schedules import get_latest_completed_cron_tick, get_next_cron_tick
from sqlalchemy import select

from ops_project.dagster_bridge.run_tags import DOMAIN_TAG

ENDED = [TickStatus.SUCCESS, TickStatus.FAILURE, TickStatus.SKIPPED]


@dataclass(frozen=True)
class Instigator:
    """A schedule or sensor that is switched on."""

    name: str
    schedule: bool
    created_at: datetime
    last_tick_at: datetime | None
    failed: bool
    error: str


# Between the crons of a schedule that has several. Cron knows no such character.
SEVERAL = " ; "


def schedules_of(repository: dg.RepositoryDefinition) -> dict[str, dict[str, str]]:
    """Name → cron, zone, job and the job's domain. Processes that have no definitions read these values from the
    ledger.
    """
    return {
        schedule.name: {
            "cron": schedule.cron_schedule
            if isinstance(schedule.cron_schedule, str)
            else SEVERAL.join(schedule.cron_schedule),
            "zone": schedule.execution_timezone or "UTC",
            "job": schedule.job_name,
            "domain": repository.get_job(schedule.job_name).tags.get(DOMAIN_TAG, ""),
        }
        for schedule in repository.schedule_defs
    }


def instigators(instance: dg.DagsterInstance) -> list[Instigator]:
    """The schedules and sensors that are switched on, each with its last finished tick."""
    result = []
    for state, tick in running(instance):
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


def running(instance: dg.DagsterInstance) -> list[tuple[InstigatorState, TickData | None]]:
    """Each instigator (schedule or sensor) that is not stopped, with its last ended tick. The tick is None if Dagster
    keeps its ticks in memory.

    `instance.get_ticks` is not used: its condition contains an OR, so SQLite cannot use the index. Each query opens a
    connection, so one query reads all instigators. With 12 instigators and 27,000 ticks, `get_ticks` took 63 ms, a
    query for each instigator 20 ms, and one query 3 ms.
    """
    storage = instance.schedule_storage
    if storage is None:
        # A test may use an instance in memory. It has no schedules or sensors that run.
        return []
    if not isinstance(storage, SqlScheduleStorage) or not _has_instigators(storage):
        found = instance.all_instigator_state()
        return [(state, None) for state in found if state.status != InstigatorStatus.STOPPED]
    with storage.connect() as connection:
        rows = connection.execute(_RUNNING).all()
    return [(_state(row[0]), _tick(row[1]) if row[1] is not None else None) for row in rows]


def _has_instigators(storage: SqlScheduleStorage) -> bool:
    """Whether the storage's version has a table of instigators. The answer for each storage is kept."""
    if storage not in _known and storage.has_instigators_table():
        _known.add(storage)
    return storage in _known


_known: WeakSet[SqlScheduleStorage] = WeakSet()


# The results are cached, because most states are the same as in the last cycle.
@lru_cache(maxsize=256)
def _state(body: str) -> InstigatorState:
    return deserialize_value(body, InstigatorState)


@lru_cache(maxsize=256)
def _tick(body: str) -> TickData:
    return deserialize_value(body, TickData)


_NEWEST = (
    select(JobTickTable.c.id)
    .where(
        JobTickTable.c.selector_id == InstigatorsTable.c.selector_id,
        JobTickTable.c.status.in_([status.value for status in ENDED]),
    )
    .order_by(JobTickTable.c.timestamp.desc())
    .limit(1)
    .correlate(InstigatorsTable)
    .scalar_subquery()
)
_TICK = JobTickTable.alias("tick")
_RUNNING = (
    select(InstigatorsTable.c.instigator_body, _TICK.c.tick_body)
    .select_from(InstigatorsTable.outerjoin(_TICK, _TICK.c.id == _NEWEST))
    .where(InstigatorsTable.c.status != InstigatorStatus.STOPPED.value)
    .order_by(InstigatorsTable.c.id)
)


def last_due(schedule: Mapping[str, str], now: datetime) -> datetime:
    """The latest moment, not after `now`, at which this schedule should have ticked."""
    return max(get_latest_completed_cron_tick(cron, now, schedule["zone"]) for cron in _crons(schedule)).astimezone(UTC)


def next_due(schedule: Mapping[str, str], now: datetime) -> datetime:
    """The next moment at which this schedule should tick."""
    return min(get_next_cron_tick(cron, now, schedule["zone"]) for cron in _crons(schedule)).astimezone(UTC)


def _crons(schedule: Mapping[str, str]) -> list[str]:
    return schedule["cron"].split(SEVERAL)
