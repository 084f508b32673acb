"""`ops runbook`: the steps of a diagnosis and their commands, which only read."""

from __future__ import annotations

import getpass
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option, table
from ops_project.settings import Settings

KEPT = 20_000


@click.group()
def runbook() -> None:
    """Runbooks: list, show, and run the steps of their diagnosis."""


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
        lambda: console.print(table(("slug", "title", "steps", "path"), [list(row.values()) for row in rows])),
    )


@runbook.command()
@click.argument("slug")
@json_option
@click.pass_obj
def show(settings: Settings, slug: str, as_json: bool) -> None:
    """Show the whole runbook."""
    found = _read(settings, slug)
    emit(as_json, found, lambda: click.echo(found.text))


@runbook.command()
@click.argument("slug")
@click.option(
    "--incident", type=int, help="Fill in the alert, table and feed of this incident, and store the output with it."
)
@click.option("--step", "wanted", type=int, multiple=True, help="Only this step; may be given several times.")
@click.option("--by", default=getpass.getuser, show_default="the user", help="Who runs it.")
@json_option
@click.pass_obj
def run(settings: Settings, slug: str, incident: int | None, wanted: tuple[int, ...], by: str, as_json: bool) -> None:
    """Run the diagnostic steps of SLUG. They only read; a step that would change something is shown but not run."""
    from ops_project.operations.incidents.decide.reasons import IncidentReason
    from ops_project.operations.ledger import open_ledger

    found = _read(settings, slug)
    unknown = sorted(set(wanted) - {step.number for step in found.steps})
    if unknown:
        raise click.UsageError(f"runbook {slug} has no step {unknown[0]}; it has 1 to {len(found.steps)}")
    ledger = open_ledger(settings)
    places: dict[str, str] = {}
    if incident is not None:
        known = ledger.incident(incident)
        if known is None:
            raise click.ClickException(f"there is no incident {incident}; `ops incidents list --all` shows them")
        places = _places(known, ledger)
    results = [
        {"step": step.number, "command": command, **_run(settings, command, places)}
        for step in found.steps
        if not wanted or step.number in wanted
        for command in step.commands
    ]
    if incident is not None and results:
        for result in results:
            title = f"runbook {slug}, step {result['step']}: {result['command']}"
            ledger.keep_evidence(incident, "runbook", title, str(result["output"])[:KEPT], by, settings.now())
        ledger.note_incident(incident, IncidentReason.RUNBOOK_RUN, by, slug, settings.now())

    def render() -> None:
        for result in results:
            console.print(f"step {result['step']}: {result['command']}", markup=False, style="bold")
            console.print(str(result["output"]).rstrip() or "(no output)", markup=False)
        if not results:
            console.print("This runbook has no step that can be run.")

    emit(as_json, results, render)
    if any(result["state"] == "failed" for result in results):
        raise SystemExit(1)


def _places(incident: Any, ledger: Any) -> dict[str, str]:
    """What {alert}, {table} and the like stand for in this incident."""
    alerts = [alert for number in incident.alerts if (alert := ledger.alert(number)) is not None]
    first = next((a for a in alerts if a.asset), alerts[0] if alerts else None)
    places = {"incident": str(incident.number), "pipeline": incident.pipeline, "domain": incident.domain}
    if first is not None:
        asset = first.asset or next(iter(first.assets), "")
        schema, _, name = asset.partition("/")
        places |= {
            "alert": str(first.number),
            "asset": asset,
            "table": asset.replace("/", "."),
            "feed": first.labels.get("feed", "") or (name if schema == "bronze" else ""),
            "date": first.labels.get("partition", ""),
        }
    return {name: value for name, value in places.items() if value}


def _run(settings: Settings, command: str, places: dict[str, str]) -> dict[str, str]:
    """Run one command in this process and capture its output."""
    from click.testing import CliRunner

    from ops_project.cli import cli
    from ops_project.operations.incidents.runbooks import words_of

    try:
        words = words_of(command, places)
    except ValueError as error:
        return {"state": "not run", "output": f"not run: it {error}"}
    front = ["--home", str(settings.home)]
    front += ["--config", str(settings.overlay)] if settings.overlay else []
    front += ["--as-of", settings.as_of.isoformat()] if settings.as_of else []
    done = CliRunner().invoke(cli, [*front, *words])
    failed = done.exit_code != 0
    said = done.output if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
    return {"state": "failed" if failed else "done", "output": said}
