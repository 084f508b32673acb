"""`ops runbook`: shows runbooks, and runs the steps of their diagnosis. The commands of these steps only read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ops_project.cli.numbers import NUMBER
from ops_project.cli.output import console, emit, json_option, table, write_out
from ops_project.cli.person import by_option
from ops_project.settings import PROJECT_ROOT, Settings


@click.group()
def runbook() -> None:
    """List and show runbooks, and run the steps of their diagnosis."""


def _read(settings: Settings, slug: str) -> Any:
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.incidents.runbooks import NoRunbook, read

    try:
        return read(load_catalog(settings), slug)
    except NoRunbook as error:
        raise click.ClickException(str(error)) from None


@runbook.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List every runbook, with the number of steps that can be run."""
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.incidents.runbooks import read, slugs

    catalog = load_catalog(settings)
    rows = [
        {
            "slug": slug,
            "title": found.title,
            "steps": sum(bool(step.commands) for step in found.steps),
            "path": str(catalog.runbook_file(slug)),
        }
        for slug in slugs(catalog)
        for found in [read(catalog, slug)]
    ]
    emit(
        as_json,
        rows,
        lambda: console.print(
            table(
                ("slug", "title", "steps", "path"),
                [[*list(row.values())[:-1], _place(str(row["path"]))] for row in rows],
            )
        ),
    )


def _place(path: str) -> str:
    """The path of a runbook, for people: relative to the project for a shipped runbook, absolute for any other."""
    return path.removeprefix(f"{PROJECT_ROOT}/")


@runbook.command()
@click.argument("slug")
@json_option
@click.pass_obj
def show(settings: Settings, slug: str, as_json: bool) -> None:
    """Show the whole runbook."""
    found = _read(settings, slug)
    emit(as_json, found, lambda: write_out(found.text))


@runbook.command()
@click.argument("slug")
@click.option(
    "--incident", type=NUMBER, help="Fill in the alert, table and feed of this incident, and store the output with it."
)
@click.option("--step", "wanted", type=NUMBER, multiple=True, help="Only this step; may be given several times.")
@by_option("The person who runs it.")
@json_option
@click.pass_obj
def run(
    settings: Settings, *, slug: str, incident: int | None, wanted: tuple[int, ...], by: str, as_json: bool
) -> None:
    """Run the diagnostic steps of SLUG. The steps only read. A step that would change something is shown but
    not run.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.lineage import Lineage
    from ops_project.operations.alerting.cycle import LINEAGE
    from ops_project.operations.alerting.decide.message import runbook as runbook_of
    from ops_project.operations.alerting.engine_config import alert_config
    from ops_project.operations.incidents.runbook_steps import keep, places, run_steps
    from ops_project.operations.ledger import open_ledger

    found = _read(settings, slug)
    unknown = sorted(set(wanted) - {step.number for step in found.steps})
    if unknown:
        raise click.UsageError(f"runbook {slug} has no step {unknown[0]}; it has 1 to {len(found.steps)}")
    # Without an incident, the ledger is not needed. This matters for the runbook about a lost ledger.
    ledger = open_ledger(settings) if incident is not None else None
    filled: dict[str, str] = {}
    if ledger is not None and incident is not None:
        known = ledger.incident(incident)
        if known is None:
            raise click.ClickException(f"there is no incident {incident}; `ops incidents list --all` shows them")
        config = alert_config(settings, load_catalog(settings), Lineage.parse(ledger.document(LINEAGE) or ()))
        filled = places(known, ledger, lambda alert: runbook_of(alert, config) == slug)
    steps = run_steps(found, wanted, filled, lambda words: _run(settings, words))
    if ledger is not None and incident is not None:
        keep(ledger, incident, found, steps, by=by, now=settings.now())
    results = [asdict(result) for result in steps]

    def render() -> None:
        for result in results:
            shown = result["ran"] or result["command"]
            console.print(f"step {result['step']}: {shown}", markup=False, style="bold", soft_wrap=True)
            console.print(str(result["output"]).rstrip() or "(no output)", markup=False)
            if result["not_shown"]:
                lacking = ", ".join(result["not_shown"])
                console.print(f"This step should show {lacking}, and does not.", markup=False, style="yellow")
        if not results:
            console.print("This runbook has no step that can be run.")

    emit(as_json, results, render)
    if any(result["state"] == "failed" for result in results):
        raise SystemExit(1)


def _run(settings: Settings, words: list[str]) -> tuple[bool, str]:
    """Run one command in this process. Returns whether it succeeded, and what it printed."""
    from click.testing import CliRunner

    from ops_project.cli import cli
    from ops_project.operations.incidents.runbooks import is_answer

    done = CliRunner().invoke(cli, [*settings.options(), *words])
    said = done.output if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
    return is_answer(words, done.exit_code, done.stderr), said
