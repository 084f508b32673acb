"""A Dagster instance as a daemon leaves it after a day: schedules and sensors with their ticks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._serdes import serialize_value

SCHEDULES, SENSORS = 8, 4
TICKS = {InstigatorType.SCHEDULE: 90, InstigatorType.SENSOR: 6500}
"""A schedule's ticks are kept for 90 days. The skipped ticks of a sensor are kept for one day: 17,280 at five
seconds, 3,000 at thirty.
"""


def fill(instance: dg.DagsterInstance, now: datetime) -> int:
    """Twelve instigators and 26,720 ticks; returns how many ticks."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("site"), "repository")
    made = 0
    storage: Any = instance.schedule_storage
    for n in range(SCHEDULES + SENSORS):
        kind = InstigatorType.SCHEDULE if n < SCHEDULES else InstigatorType.SENSOR
        since = (now - timedelta(days=100)).timestamp()
        data = ScheduleInstigatorData("0 2 * * *", since) if n < SCHEDULES else SensorInstigatorData(min_interval=5)
        origin = RemoteInstigatorOrigin(repository, f"{kind.value.lower()}_{n}")
        instance.add_instigator_state(InstigatorState(origin, kind, InstigatorStatus.RUNNING, data))
    for state in instance.all_instigator_state():
        rows = []
        for k in range(TICKS[state.instigator_type]):
            at = now - timedelta(seconds=5 * k)
            tick = TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=state.name,
                instigator_type=state.instigator_type,
                status=TickStatus.SKIPPED,
                timestamp=at.timestamp(),
                selector_id=state.selector_id,
                skip_reason="0 new signals, 0 alerts fired, 0 resolved",
            )
            rows.append(
                {
                    "job_origin_id": state.instigator_origin_id,
                    "selector_id": state.selector_id,
                    "status": "SKIPPED",
                    "type": state.instigator_type.value,
                    "timestamp": at.astimezone(UTC).replace(tzinfo=None),
                    "tick_body": serialize_value(tick),
                }
            )
        with storage.connect() as connection:
            connection.execute(JobTickTable.insert(), rows)
        made += len(rows)
    return made
