"""`ops lineage`: which columns a column comes from, and which come from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import COUNT
from ops_project.cli.output import console, emit, json_option, table, told, write_out
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.column_lineage import ColumnLineage, LineageGraph
    from ops_project.operations.ledger import Ledger


@click.command()
@click.argument("column", required=False)
@click.option(
    "--up", "direction", flag_value="up", default="up", help="Show what COLUMN comes from. This is the default."
)
@click.option("--down", "direction", flag_value="down", help="Show what comes from COLUMN.")
@click.option("--rows", is_flag=True, help="Also show what decides which rows the tables have: filters, joins, groups.")
@click.option("--depth", type=COUNT, help="The largest number of hops in the tree.")
@click.option("--svg", "as_svg", is_flag=True, help="Print a picture (SVG).")
@click.option("--html", "as_html", is_flag=True, help="Print a page with the picture and every reason.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the output to this file.")
@click.option("--version", "version", default="", help="The lineage of this version of the code (see --versions).")
@click.option("--versions", is_flag=True, help="List the versions that are kept.")
@click.option("--fresh", is_flag=True, help="Read the lineage from the present code, and not what the last run stored.")
@json_option
@click.pass_obj
def lineage(
    settings: Settings,
    *,
    column: str | None,
    direction: str,
    rows: bool,
    depth: int | None,
    as_svg: bool,
    as_html: bool,
    output: Path | None,
    version: str,
    versions: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Show which columns COLUMN (schema.table.column) comes from, down to the fields of the inbound files.

    If only a table is given, its rows are traced. Without COLUMN: show for how many columns of each schema the origin
    is known, and why it is not known for the others. Each column is proven, absent (it comes from no column) or
    unknown, with the reason.
    """
    from ops_project.operations.diagnosis.columns import UnknownColumn, find, trace
    from ops_project.operations.ledger import open_ledger

    if sum((as_json, as_svg, as_html)) > 1:
        raise click.UsageError("--json, --svg and --html exclude each other")
    if version and fresh:
        raise click.UsageError("--version and --fresh exclude each other")
    ledger = open_ledger(settings)
    if versions:
        _versions(ledger, as_json)
        return
    known = _known(settings, ledger, version, fresh)
    if column is None:
        if as_svg or as_html:
            raise click.UsageError("a picture needs a COLUMN, for example gold.daily_revenue.gross_revenue")
        _summary(known, as_json)
        return
    try:
        graph = trace(known, find(known, column), "down" if direction == "down" else "up", rows=rows)
    except UnknownColumn as error:
        raise click.ClickException(str(error)) from None
    if as_svg or as_html:
        from ops_project.operations.diagnosis.rendering import svg

        _write(svg.svg(graph) if as_svg else svg.html(graph), output)
        return
    if output is not None:
        raise click.UsageError("--output belongs to --svg or --html")
    emit(as_json, plain(graph), lambda: _tree(graph, depth))


def plain(graph: LineageGraph) -> dict[str, Any]:
    """The graph as JSON: its columns in the order of their distance, and the edges between them."""
    return {
        "column": str(graph.root),
        "direction": graph.direction,
        "version": graph.version,
        "columns": [
            {
                "column": str(column),
                "asset": column.asset,
                "name": column.name,
                "hops": hops,
                "state": graph.origins[column].state,
                "reason": graph.origins[column].reason,
                "personal_data": column in graph.personal,
            }
            for column, hops in sorted(graph.depth.items(), key=lambda item: (item[1], item[0]))
        ],
        "edges": [{"from": str(hop.parent), "to": str(hop.child), "kind": hop.kind} for hop in graph.hops],
    }


def _known(settings: Settings, ledger: Ledger, version: str, fresh: bool) -> ColumnLineage:
    found = None if fresh else ledger.columns(version)
    if version and found is None:
        raise click.ClickException(f"version {version!r} is not kept; `ops lineage --versions` lists those that are")
    if found is not None:
        return found
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.column_lineage.project import column_lineage
    from ops_project.pipeline.dbt_engine.manifest import load as load_manifest
    from ops_project.pipeline.dbt_engine.overlay import project_dir
    from ops_project.process.code_version import commit

    catalog = load_catalog(settings)
    read = column_lineage(catalog, load_manifest(project_dir(catalog)))
    if not fresh:
        ledger.keep_columns(read, commit(), settings.now())
    return read


def _tree(graph: LineageGraph, depth: int | None) -> None:
    from ops_project.operations.diagnosis.rendering.tree import lines

    for line in lines(graph, depth):
        console.print(line, soft_wrap=True)
    tables = len({column.asset for column in graph.depth} - {graph.root.asset})
    columns = counted(len(graph.depth) - 1, "column")
    words = f"{columns} in {counted(tables, 'other table')}, {len(graph.unknown)} of them unknown"
    console.print(f"\n{words}. Version {graph.version}.", soft_wrap=True)


def _summary(known: ColumnLineage, as_json: bool) -> None:
    from ops_project.operations.diagnosis.columns import resolved

    found = resolved(known)
    unknown = {str(column): why for column, why in known.unknown_columns().items()}
    data = {
        "version": known.version,
        "schemas": {name: {**_counts(part), "share": part.share} for name, part in found.items()},
        "unknown": unknown,
        "personal_data": sorted(str(column) for column in known.personal),
    }

    def render() -> None:
        rows = [[name, *_counts(part).values(), f"{100 * part.share:.1f} %"] for name, part in found.items()]
        console.print(table(("schema", "proven", "absent", "unknown", "known"), rows))
        for name, why in unknown.items():
            console.print(f"{name}: {why}", soft_wrap=True)
        console.print(
            f"\n{counted(len(known.personal), 'column holds', 'columns hold')} personal data. Version {known.version}.",
            soft_wrap=True,
        )

    emit(as_json, data, render)


def _counts(part: Any) -> dict[str, int]:
    return {"proven": part.proven, "absent": part.absent, "unknown": part.unknown}


def _versions(ledger: Ledger, as_json: bool) -> None:
    found = ledger.column_versions()

    def render() -> None:
        if not found:
            console.print("No version is kept yet: a run, or `ops lineage` itself, keeps the one that it reads.")
            return
        rows = [[item.version, item.commit[:12], item.first_at, item.last_at] for item in found]
        console.print(table(("version", "commit", "first (UTC)", "last (UTC)"), rows))

    emit(as_json, found, render)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        write_out(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None
    told(f"Written to {output}.")
