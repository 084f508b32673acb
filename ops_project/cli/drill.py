"""`ops drill`: practise a loss and measure what it would cost."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from ops_project.cli.backup import open_shelf, outside_of, where_option
from ops_project.cli.output import console, emit, json_option, table, told
from ops_project.moments import to_minute
from ops_project.settings import Settings


@click.group()
def drill() -> None:
    """Practise a loss and measure what it would cost."""


@drill.command("recovery")
@click.argument("wanted", metavar="[BACKUP]", required=False)
@where_option
@click.option("--history", "only_history", is_flag=True, help="Show the past drills; measure nothing.")
@json_option
@click.pass_obj
def recovery(
    settings: Settings, wanted: str | None, destination: str | None, only_history: bool, as_json: bool
) -> None:
    """Rebuild the home from BACKUP (default: the newest) in an empty folder, and measure recovery point and recovery
    time.

    Recovery point: the age of the backup, and the loaded files that it lacks. Recovery time: how long it takes from an
    empty folder to an open home, with every table's checksum compared. The figures are appended to a history. Ends with
    1 if the home could not be rebuilt.
    """
    from ops_project.pipeline.recovery.backup import drill as drills
    from ops_project.pipeline.recovery.decide.backups import choose

    ok = True
    if not only_history:
        with open_shelf(settings, destination, "ops drill recovery") as (shelf, _):
            manifest = shelf.manifest(choose(wanted or "newest", shelf.backups(), shelf.proofs()).id)
            ok = drills.drill(settings, shelf, manifest, now=settings.now(), tell=told, outside=outside_of(settings)).ok
    data = [asdict(item) for item in drills.history(settings)]
    columns = ("drill", "backup", "outcome", "recovery point h", "files lost", "recovery time s", "MB")
    rows = [
        (
            to_minute(item["at"]),
            item["backup"],
            "rebuilt" if item["ok"] else f"failed: {item['words']}",
            item["recovery_point_seconds"] / 3600,
            item["lost_files"],
            item["recovery_seconds"],
            item["size_bytes"] / 1e6,
        )
        for item in data[-10:]
    ]
    emit(as_json, data, lambda: console.print(table(columns, rows) if rows else "No drill yet."))
    if not ok:
        sys.exit(1)
