"""The nightly job that compares a share of the archive with its hashes, and its schedule."""

import dagster as dg

from ops_project.counted import counted
from ops_project.defs.shared.site import Site
from ops_project.pipeline.recovery.archive_check import verify_share

JOB = "archive_verification"
# At this time the nightly runs have ended, and the disk is idle.
CRON = "0 5 * * *"


def archive_definitions(site: Site) -> dg.Definitions:
    """The job and its schedule, which runs by default."""
    return dg.Definitions(jobs=[_job(site)], schedules=[_schedule(site)])


def _job(site: Site) -> dg.JobDefinition:
    @dg.op(name="compare_archive_share", description="Compares a share of the archived files with their hashes.")
    def compare(context: dg.OpExecutionContext) -> None:
        found = verify_share(site.settings, site.settings.now())
        if found is None:
            context.log.info("this night's share of the archive has been compared already, or there is no archive")
            return
        files = counted(found.files, "archived file")
        context.log.info(f"{found.compared} of {files} compared, {len(found.damaged)} damaged")
        for damage in found.damaged:
            # The alert cycle reports the damage. The job has done its work, so it does not fail.
            context.log.warning(f"archive/{damage.path} {damage.what}")

    @dg.job(name=JOB, description="Compares a share of the archive with its hashes, so that a month covers all of it.")
    def verification() -> None:
        compare()

    return verification


def _schedule(site: Site) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{JOB}_schedule",
        job_name=JOB,
        cron_schedule=CRON,
        execution_timezone=site.catalog.platform.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="A share of the archive each night, the files compared longest ago first.",
    )
