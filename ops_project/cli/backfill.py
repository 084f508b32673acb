"""`ops backfill`: builds past business dates of a table or a domain again. It always follows a plan."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import DAYS
from ops_project.cli.output import console, emit, json_option, progress, status, table
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.pipeline.recovery.decide.backfill import Plan

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("target", metavar="TABLE|DOMAIN")
@click.option("--from", "first", type=DAY, help="First business date.")
@click.option("--to", "last", type=DAY, help="Last business date. Default: the first one.")
@click.option("--failed-only", is_flag=True, help="Only dates whose last run has failed.")
@click.option(
    "--days-in-a-run",
    type=DAYS,
    help="The largest number of dates in one run. A killed run begins again with all its dates. Default: 31.",
)
@click.option("--apply", "plan_hash", metavar="HASH", help="Do what the plan with this hash says.")
@json_option
@click.pass_obj
def backfill(
    settings: Settings,
    *,
    target: str,
    first: datetime | None,
    last: datetime | None,
    failed_only: bool,
    days_in_a_run: int | None,
    plan_hash: str | None,
    as_json: bool,
) -> None:
    """Build past business dates again: of TABLE and what is downstream of it, or of a whole DOMAIN.

    The first call makes a plan and builds nothing. The plan shows the dates of each run, the rows, the minutes that
    earlier runs took, what is downstream, and what is not rebuilt and why. The plan has a hash. `--apply HASH` does
    exactly what this plan says, or stops if the state has changed since. If a backfill was killed, the same command
    continues it.
    """
    from ops_project.cli import run as running
    from ops_project.cli.run_alerts import tell_alerts
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.dagster_bridge.runs import open_instance
    from ops_project.defs.compose import compose
    from ops_project.defs.operations.after_run import after_run
    from ops_project.defs.shared import backfill as backfills
    from ops_project.defs.shared.site import Site
    from ops_project.pipeline.recovery import plans
    from ops_project.pipeline.recovery.decide.backfill import DAYS_IN_A_RUN
    from ops_project.pipeline.recovery.decide.target import RestoreError

    if plan_hash is None and first is None:
        raise click.UsageError("--from DATE is needed: the first business date")
    if plan_hash is not None and (first or last or failed_only or days_in_a_run):
        raise click.UsageError(
            "--apply does what its plan says: leave out --from, --to, --failed-only and --days-in-a-run"
        )
    began, site = time.perf_counter(), Site.load(settings)
    dagster_home.ensure(settings)
    definitions = compose(site)
    with open_instance(settings) as instance:
        try:
            if plan_hash is None:
                assert first is not None
                asked = backfills.Asked(
                    target,
                    first.date(),
                    (last or first).date(),
                    failed_only,
                    days_in_a_run or DAYS_IN_A_RUN,
                )
                _refuse(site, asked.first, asked.last)
                made = backfills.plan(site, definitions, instance, asked)
                emit(as_json, _data(made), lambda: _show(made))
                return
            wanted = plans.recall(settings, plan_hash)
            if wanted.target != target:
                raise RestoreError(f"plan {plan_hash} is for {wanted.target}, not for {target}")
            left = backfills.remaining(instance, wanted)
            done = len(wanted.windows) - len(left)
            progress_told = running.Told(as_json, began)
            with status("starting …") as spinner, progress() as bar:
                task = bar.add_task(f"backfill of {target}", total=len(wanted.windows), completed=done)

                def ended(item: Any) -> None:
                    bar.advance(task)
                    progress_told.runs([item])

                runs = backfills.apply(
                    site,
                    definitions,
                    instance,
                    wanted,
                    watcher=running.watcher(spinner, wanted.domain),
                    clock=settings.now,
                    ended=ended,
                )
                tell_alerts(
                    settings,
                    spinner,
                    lambda: after_run(site, definitions, instance, settings.now()),
                    progress_told.unrecorded,
                )
        except RestoreError as error:
            raise click.ClickException(str(error)) from None
    data = {"plan": wanted.hash, "runs_before": done, "runs_now": len(runs), "runs_planned": len(wanted.windows)}
    if not as_json and not runs:
        console.print(f"Plan {wanted.hash} is done already: {counted(done, 'run')}.")
        return
    seconds = time.perf_counter() - began
    running.conclude(
        settings, runs, seconds=seconds, unrecorded=progress_told.unrecorded, as_json=as_json, more={"backfill": data}
    )


def _refuse(site: Any, first: Any, last: Any) -> None:
    platform = site.catalog.platform
    today = site.settings.now().astimezone(platform.zone).date()
    if last < first:
        raise click.UsageError(f"--to {last} lies before --from {first}")
    if last > today:
        raise click.UsageError(f"--to {last} lies ahead: today is {today} in {platform.zone.key}")
    if first < platform.start_date:
        raise click.UsageError(f"--from {first} lies before {platform.start_date}, the start_date of platform.yaml")


def _data(plan: Plan) -> dict[str, Any]:
    return {"hash": plan.hash, "days": plan.days, **plan.dump()}


def _show(plan: Plan) -> None:
    dates = counted(plan.days, "business date")
    runs = counted(len(plan.windows), "run")
    console.print(f"Plan {plan.hash}: {plan.target}, {dates} in {runs} of {plan.job}.", soft_wrap=True)
    console.print(table(("from", "to"), [(str(first), str(last)) for first, last in plan.windows]))
    rows = "unknown, because there is no snapshot" if plan.rows is None else f"{plan.rows:,}"
    minutes = "unknown" if plan.seconds is None else f"about {plan.seconds / 60:,.1f}"
    console.print(f"Landed rows of these dates: {rows}. Minutes: {minutes} ({plan.basis}).", soft_wrap=True)
    console.print(f"Built, {counted(len(plan.assets), 'table')}: {', '.join(plan.assets)}.", soft_wrap=True)
    if plan.downstream:
        console.print(f"Of these, the downstream tables are: {', '.join(plan.downstream)}.", soft_wrap=True)
    for what, why in plan.left_out:
        console.print(f"Not rebuilt: {what} – {why}.", soft_wrap=True)
    console.print(
        f"Nothing was built. `ops backfill {plan.target} --apply {plan.hash}` does exactly this.", soft_wrap=True
    )
