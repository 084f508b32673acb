"""Schedules of whole pipelines, in the local time of the platform's zone."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from ops_project.defs.shared import partitions
from ops_project.defs.shared.arrivals import window
from ops_project.defs.shared.site import Site


@dataclass(frozen=True)
class Schedule:
    """A job and the local time at which it starts. In the night in which clocks skip this hour, the job runs directly
    after the change. In the night in which the hour occurs twice, the job runs once.
    """

    job: str
    cron: str
    description: str


def schedule_definition(
    site: Site, domain: str, schedule: Schedule, job: dg.UnresolvedAssetJobDefinition
) -> dg.ScheduleDefinition:
    """The schedule. It is switched on by default, so that nobody has to switch the nightly run on."""

    @dg.schedule(
        name=f"{schedule.job}_schedule",
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=site.catalog.platform.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=schedule.description,
    )
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        first, last = window(site, domain, site.settings.now())[-1]
        return dg.RunRequest(
            run_key=context.scheduled_execution_time.isoformat(),
            tags={**partitions.range_tags(first, last), partitions.MODE: partitions.ARRIVED},
        )

    return evaluate
