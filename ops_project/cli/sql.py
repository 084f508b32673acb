"""`ops sql`: ask the newest snapshot. The engine refuses to write, and to reach anything outside the file."""

from __future__ import annotations

import csv
import sys
from typing import Any

import click

from ops_project.cli.output import Group, console, emit, json_option, table
from ops_project.settings import Settings

DEFAULT_LIMIT = 100


@click.command()
@click.argument("query")
@click.option(
    "--limit", type=click.IntRange(min=0), default=DEFAULT_LIMIT, show_default=True, help="Rows to show; 0: all."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@json_option
@click.pass_obj
def sql(settings: Settings, query: str, limit: int, as_csv: bool, as_json: bool) -> None:
    """Run QUERY on the newest snapshot, and say as of when.

    Read-only by the engine. A run that is going on is not disturbed, and not seen.
    """
    import duckdb

    from ops_project.pipeline.warehouse import snapshots

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    try:
        snapshot = snapshots.newest(settings)
        with snapshots.open(snapshot) as connection:
            result = connection.execute(query)
            names = [column[0] for column in result.description]
            rows = result.fetchmany(limit + 1) if limit else result.fetchall()
    except snapshots.NoSnapshot as error:
        raise click.ClickException(str(error)) from None
    except duckdb.Error as error:
        raise click.ClickException(str(error)) from None
    more = bool(limit) and len(rows) > limit
    rows = rows[:limit] if limit else rows
    said = f"As of {snapshot.as_of:%Y-%m-%d %H:%M} UTC, snapshot {snapshot.id}"
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
        click.echo(f"{said}{'; more rows exist (--limit)' if more else ''}", err=True)
        return
    data: dict[str, Any] = {
        "as_of": snapshot.as_of,
        "snapshot": snapshot.id,
        "columns": names,
        "rows": [dict(zip(names, row, strict=True)) for row in rows],
        "more": more,
    }
    told = f"{said}. {len(rows)} row{'' if len(rows) == 1 else 's'}{', and more (--limit)' if more else ''}."
    emit(as_json, data, lambda: console.print(Group(table(names, rows), f"\n{told}")))
