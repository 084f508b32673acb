"""The job of the nightly backup and its schedule. Both exist only if a destination is configured."""

import dagster as dg

from ops_project.defs.operations.backup_outside import outside
from ops_project.defs.shared.permanent import classified
from ops_project.defs.shared.site import Site
from ops_project.pipeline.recovery.backup.create import Taker, alone
from ops_project.pipeline.recovery.backup.routine import routine
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.decide.backups import Outcome
from ops_project.pipeline.recovery.stores import open_store
from ops_project.process.code_version import commit

JOB = "backup"


def backup_definitions(site: Site) -> dg.Definitions:
    """The job and its schedule; nothing if no destination is configured."""
    wanted = site.catalog.platform.backups
    if wanted.destination is None:
        return dg.Definitions()
    destination = wanted.destination

    @dg.op(name="take_and_prove_backup", description="Takes a backup of the home, and proves it.")
    def body(context: dg.OpExecutionContext) -> None:
        settings = site.settings
        now = settings.now()
        shelf = Shelf(open_store(destination, wanted.endpoint, wanted.region))
        with classified("backup"), alone(settings, f"job {JOB}", now, context.log.info):
            taker = Taker(
                settings=settings,
                platform=site.catalog.platform,
                by="schedule",
                now=now,
                commit=commit(),
                tell=context.log.info,
                outside=outside(settings, site.catalog.platform),
            )
            manifest, proof = routine(taker, shelf, destination)
        if proof is None or proof.outcome is not Outcome.PROVED:
            words = proof.words if proof is not None else "it was not tried"
            raise dg.Failure(f"backup {manifest.id} is not proved: {words}", allow_retries=False)
        context.log.info(f"backup {manifest.id}: {proof.words}")

    @dg.job(name=JOB, description="Takes a backup of the home, and proves it by restoring it into an empty home.")
    def job() -> None:
        body()

    schedule = dg.ScheduleDefinition(
        name=f"{JOB}_schedule",
        job=job,
        cron_schedule=wanted.schedule,
        execution_timezone=site.catalog.platform.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The backup of each night.",
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])
