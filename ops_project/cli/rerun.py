"""`ops rerun`: finishes what an earlier run did not finish."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import COUNT
from ops_project.cli.output import console, emit, json_option, status, told
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.defs.shared.rerun import Wanted


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--from-failed", is_flag=True, help="Build what the run did not finish. This is the default.")
@click.option("--from-asset", metavar="TABLE", help="Build this table of the run, and what is downstream of it.")
@click.option("--memory-limit", metavar="SIZE", help="Memory for this rerun: `6GB`. Default: the configured limit.")
@click.option("--threads", type=COUNT, help="Threads for this rerun. Default: the configured number.")
@click.option("--dry-run", is_flag=True, help="Show what would be built; run nothing.")
@json_option
@click.pass_obj
def rerun(
    settings: Settings,
    *,
    run: str,
    from_failed: bool,
    from_asset: str | None,
    memory_limit: str | None,
    threads: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run again what RUN (the beginning of its id) did not finish, for the same business dates.

    Finished tables are not built again, but their failed checks are evaluated again. Work that an earlier rerun has
    finished is not repeated either. The configuration is read again, so you can correct it first. If the run had too
    little memory, the rerun gets more memory, fewer threads and fewer dates at once, and the answer says so.
    """
    from ops_project.cli import run as running
    from ops_project.cli.run_alerts import catch_up, tell_alerts
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.dagster_bridge.reruns import NoRun, failure_classes
    from ops_project.dagster_bridge.runs import mark_dead_runs, open_instance
    from ops_project.defs.compose import compose
    from ops_project.defs.operations.after_run import after_run
    from ops_project.defs.shared import rerun as reruns
    from ops_project.defs.shared.site import Site
    from ops_project.pipeline.recovery.decide.relief import bytes_of
    from ops_project.pipeline.recovery.decide.target import NothingLeft, RestoreError

    if from_failed and from_asset:
        raise click.UsageError("--from-failed and --from-asset exclude each other")
    try:
        if memory_limit is not None:
            bytes_of(memory_limit)
    except ValueError as error:
        raise click.UsageError(f"--memory-limit: {error}") from None
    began, site = time.perf_counter(), Site.load(settings)
    dagster_home.ensure(settings)
    definitions = compose(site)
    relief: tuple[str, ...] = ()
    with open_instance(settings) as instance, status("starting …") as spinner:
        mark_dead_runs(instance, settings.now())  # If an earlier rerun was killed, it is still recorded as running.
        try:
            wanted = reruns.plan(settings, definitions, instance, run, from_asset)
        except NothingLeft as error:
            # The rerun that finished the work may have been killed before it had sent its alerts.
            if not dry_run:
                catch_up(settings, site.catalog, instance, spinner)
            raise click.ClickException(str(error)) from None
        except (RestoreError, NoRun) as error:
            raise click.ClickException(str(error)) from None
        if memory_limit or threads:
            site = reruns.limited(site, memory_limit, threads)
        elif reruns.LIMITED in failure_classes(instance, wanted.run.run_id):
            site, wanted, relief = reruns.with_relief(site, wanted, _machine_bytes(), os.cpu_count() or 1)
        data = _described(wanted, relief)
        if dry_run:
            emit(as_json, data, lambda: _show(data))
            return
        for line in _lines(data):
            told(line)
        if memory_limit or threads or relief:
            definitions = compose(site)
        progress = running.Told(as_json, began)
        runs = reruns.rerun(
            site, definitions, instance, wanted, watcher=running.watcher(spinner, data["job"]), clock=settings.now
        )
        progress.runs(runs)
        tell_alerts(
            settings, spinner, lambda: after_run(site, definitions, instance, settings.now()), progress.unrecorded
        )
    running.conclude(
        settings,
        runs,
        seconds=time.perf_counter() - began,
        unrecorded=progress.unrecorded,
        as_json=as_json,
        more={"rerun": data},
    )


def _machine_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _described(wanted: Wanted, relief: tuple[str, ...]) -> dict[str, Any]:
    return {
        "run": wanted.run.run_id,
        "job": wanted.run.job_name,
        "tables": sorted(".".join(asset) for asset in wanted.plan.assets),
        "checks": sorted(f"{'.'.join(asset)}: {name}" for asset, name in wanted.plan.checks),
        "finished": sorted(".".join(asset) for asset in wanted.plan.finished),
        "because_of_memory": relief,
    }


def _lines(data: dict[str, Any]) -> list[str]:
    lines = [
        f"rerun of {data['run'][:8]} ({data['job']}): {counted(len(data['tables']), 'table')} to build, "
        f"{counted(len(data['checks']), 'check')} of finished tables, "
        f"{counted(len(data['finished']), 'finished table')} left unchanged"
    ]
    if data["because_of_memory"]:
        lines.append(f"the run had too little memory, so the rerun gets: {', '.join(data['because_of_memory'])}")
    return lines


def _show(data: dict[str, Any]) -> None:
    for line in _lines(data):
        console.print(line, soft_wrap=True)
    for name in (*data["tables"], *data["checks"]):
        console.print(f"  {name}", soft_wrap=True)
