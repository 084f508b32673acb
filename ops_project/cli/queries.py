"""`ops queries`: lists the operational queries, and runs them on the newest snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from ops_project.cli.output import console, emit, json_option, table
from ops_project.queries import Query, QueryError, find
from ops_project.queries import queries as queries_of
from ops_project.settings import Settings


@click.command()
@click.argument("wanted", metavar="[NUMBER|NAME|all]", required=False)
@click.option("--domain", default="ecommerce", show_default=True, help="The domain of the queries.")
@json_option
@click.pass_obj
def queries(settings: Settings, wanted: str | None, domain: str, as_json: bool) -> None:
    """List the operational queries, or run one (or all) on the newest snapshot."""
    try:
        if wanted is None:
            _list(queries_of(domain), as_json)
            return
        asked = queries_of(domain) if wanted == "all" else [find(domain, wanted)]
    except QueryError as error:
        raise click.UsageError(str(error)) from None
    answers = _run(settings, asked)
    emit(as_json, answers if wanted == "all" else answers[0], lambda: _render(answers))


def _list(found: list[Query], as_json: bool) -> None:
    data = [{"number": query.number, "name": query.name, "title": query.title, "tells": query.tells} for query in found]
    rows = [(query.number, query.name, query.tells) for query in found]
    emit(as_json, data, lambda: console.print(table(("number", "name", "tells"), rows)))


def _run(settings: Settings, asked: list[Query]) -> list[dict[str, Any]]:
    from ops_project import catalog
    from ops_project.pipeline.warehouse import snapshots

    try:
        snapshot = snapshots.newest(settings)
    except snapshots.NoSnapshot as error:
        raise click.ClickException(str(error)) from None
    zone = catalog.load(settings).platform.zone
    with snapshots.open(snapshot) as connection:
        return [_answer(connection, query, settings.now(), zone, snapshot.as_of) for query in asked]


def _answer(connection: Any, query: Query, now: datetime, zone: ZoneInfo, data_as_of: datetime) -> dict[str, Any]:
    import duckdb

    existing = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "union all select schema_name, view_name from duckdb_views()"
        ).fetchall()
    }
    clock = {"as_of": now.replace(tzinfo=None), "as_of_date": now.astimezone(zone).date()}
    try:
        cursor = connection.execute(query.for_tables(existing), {name: clock[name] for name in query.parameters})
    except duckdb.CatalogException as error:
        raise click.ClickException(
            f"query {query.number} ({query.name}) reads a table that is not built yet: {str(error).splitlines()[0]}"
        ) from None
    columns = [column[0] for column in cursor.description]
    return {
        "number": query.number,
        "name": query.name,
        "title": query.title,
        "as_of": now,
        "snapshot_as_of": data_as_of,
        "absent_tables": query.absent(existing),
        "rows": [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()],
        "columns": columns,
    }


def _render(answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        rows = [tuple(row.values()) for row in answer["rows"]]
        console.print(table(answer["columns"], rows, title=f"{answer['number']} {answer['title']}"))
        if not rows:
            console.print("no rows")
        for name in answer["absent_tables"]:
            console.print(f"{name} does not exist yet, so its part of the answer is unknown", style="yellow")
        console.print()
    if answers:
        console.print(
            f"as of {answers[0]['as_of']:%Y-%m-%d %H:%M} UTC, "
            f"on the snapshot of {answers[0]['snapshot_as_of']:%Y-%m-%d %H:%M} UTC",
            style="dim",
        )
