"""`ops reconcile`: compares two tables or files key by key, or a configured chain of tables hop by hop."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import COUNT_OR_NONE, decimal
from ops_project.cli.output import console, emit, json_option, styled, table
from ops_project.settings import Settings

if TYPE_CHECKING:
    import duckdb

    from ops_project.pipeline.reconcile.classify import ChainResult, Comparison
    from ops_project.pipeline.reconcile.sides import Side

FILE_SUFFIXES = (".csv", ".tsv", ".txt", ".psv", ".gz", ".parquet", ".json", ".jsonl", ".ndjson")
TO_FIND = "no reconciliation {name!r}; configured: {valid}. Two tables or files: --source A --target B --key K"


@click.command()
@click.argument("name", required=False)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="One business date only.")
@click.option("--source", metavar="FILE|TABLE", help="Instead of NAME: a file, or schema.table of the newest snapshot.")
@click.option("--target", metavar="FILE|TABLE", help="The file or table that must agree with the source.")
@click.option(
    "--key",
    metavar="COLUMNS",
    help="Key columns, separated by commas; `a=b` if column a of the source is called b in the target.",
)
@click.option(
    "--measure",
    "measures",
    metavar="COLUMNS",
    multiple=True,
    help="Columns that are summed, written like the key columns.",
)
@click.option(
    "--compare",
    "attributes",
    metavar="COLUMNS",
    multiple=True,
    help="Columns that must be equal, written like the key columns.",
)
@click.option("--absolute", type=decimal, default=None, help="Tolerance of a total, absolute (default 1000).")
@click.option(
    "--percent",
    type=decimal,
    default=None,
    help="Tolerance of a total, in percent of the source (default 5).",
)
@click.option("--scale", type=click.IntRange(0, 18), help="Round measures to this many decimal places, for floats.")
@click.option("--samples", type=COUNT_OR_NONE, default=10, show_default=True, help="Keys shown for each class.")
@json_option
@click.pass_obj
def reconcile(
    settings: Settings,
    *,
    name: str | None,
    day: datetime | None,
    source: str | None,
    target: str | None,
    key: str | None,
    measures: tuple[str, ...],
    attributes: tuple[str, ...],
    absolute: Decimal | None,
    percent: Decimal | None,
    scale: int | None,
    samples: int,
    as_json: bool,
) -> None:
    """Compare control totals and every key. The exit code is 1 if there is a break.

    With NAME, the command compares the chain of that name in config/reconciliations.yaml. It shows each hop, the
    classes that explain its difference, and the hop at which each break first appears. With --source, --target and
    --key, it compares any two tables or files. With neither, it lists the configured chains.
    """
    from ops_project.pipeline.reconcile import ReconcileError

    try:
        if name and (source or target):
            raise click.UsageError("give NAME, or --source and --target, not both")
        if name:
            result = _chain(settings, name, day.date() if day else None, samples)
        elif source and target and key:
            if day:
                raise click.UsageError("--date needs the NAME of a configured reconciliation")
            result = _pair(
                settings,
                source,
                target,
                key=[key],
                measures=measures,
                attributes=attributes,
                absolute=absolute,
                percent=percent,
                scale=scale,
                samples=samples,
            )
        elif source or target or key:
            raise click.UsageError("to compare two tables or files, give --source, --target and --key")
        elif day:
            valid = ", ".join(_configured(settings)) or "none is configured"
            raise click.UsageError(f"--date needs the NAME of a reconciliation; valid: {valid}")
        else:
            _list(settings, as_json)
            return
    except ReconcileError as error:
        raise click.ClickException(str(error)) from None
    emit(as_json, as_data(result), lambda: render(result))
    if result.is_break:
        raise SystemExit(1)


def _split(words: list[str], other: dict[str, str]) -> list[str]:
    """The names of the columns in the source. If a column has another name in the target (`a=b`), the entry b → a is
    added to `other`.
    """
    found = []
    for item in (part.strip() for word in words for part in word.split(",")):
        mine, _, theirs = item.partition("=")
        if mine.strip():
            found.append(mine.strip())
            if theirs.strip():
                other[theirs.strip()] = mine.strip()
    return found


def _list(settings: Settings, as_json: bool) -> None:
    from ops_project import catalog

    chains = sorted(catalog.load(settings).reconciliations.reconciliations.items())
    data = [
        {
            "name": name,
            "domain": chain.domain,
            "title": chain.title,
            "hops": [node.name for node in chain.nodes],
            "key": list(chain.key),
            "runbook": chain.runbook,
        }
        for name, chain in chains
    ]

    def render() -> None:
        if not data:
            console.print("No reconciliation is configured; reconciliations.yaml is the place for them.")
            return
        rows = [
            (name, chain.domain, chain.title, " → ".join(node.name for node in chain.nodes)) for name, chain in chains
        ]
        console.print(table(("name", "domain", "title", "hops"), rows))
        console.print("Compare one with `ops reconcile NAME`; `--date DATE` compares one business date only.")

    emit(as_json, data, render)


def _configured(settings: Settings) -> list[str]:
    from ops_project import catalog

    return sorted(catalog.load(settings).reconciliations.reconciliations)


def _chain(settings: Settings, name: str, day: date | None, samples: int) -> ChainResult:
    from ops_project import catalog
    from ops_project.pipeline.reconcile.chain import hop_by_hop

    chains = catalog.load(settings).reconciliations.reconciliations
    if name not in chains:
        raise click.UsageError(TO_FIND.format(name=name, valid=", ".join(sorted(chains)) or "none"))
    with _connect(settings, needs_warehouse=True) as connection:
        days = [day] if day else None
        *_, result = hop_by_hop(connection, name, chains[name], archive=settings.archive, days=days, samples=samples)
        return result


def _pair(
    settings: Settings,
    source: str,
    target: str,
    *,
    key: list[str],
    measures: tuple[str, ...],
    attributes: tuple[str, ...],
    absolute: Decimal | None,
    percent: Decimal | None,
    scale: int | None,
    samples: int,
) -> ChainResult:
    from ops_project.model.reconciliation import Measure, Tolerance
    from ops_project.pipeline.reconcile import compare
    from ops_project.pipeline.reconcile.classify import ChainResult
    from ops_project.pipeline.reconcile.sides import renamed

    given = {"absolute": absolute, "percent": percent}
    tolerance = Tolerance(**{name: value for name, value in given.items() if value is not None})
    other: dict[str, str] = {}
    keys, summed, equal = (_split(list(words), other) for words in (key, measures, attributes))
    columns = {column: Measure(column=column, tolerance=tolerance, scale=scale) for column in summed}
    needs_warehouse = not (_is_file(source) and _is_file(target))
    with _connect(settings, needs_warehouse) as connection:
        hop = compare(
            connection,
            _side(connection, source),
            renamed(connection, _side(connection, target), other) if other else _side(connection, target),
            key=keys,
            measures=columns,
            attributes=equal,
            count_tolerance=tolerance,
            samples=samples,
        )
    return ChainResult("", f"{hop.source} against {hop.target}", None, (hop,))


def _is_file(text: str) -> bool:
    return "/" in text or text.lower().endswith(FILE_SUFFIXES)


def _side(connection: duckdb.DuckDBPyConnection, text: str) -> Side:
    from ops_project.pipeline.reconcile import file_side, table_side

    return file_side(connection, text) if _is_file(text) else table_side(connection, text)


def _connect(settings: Settings, needs_warehouse: bool) -> duckdb.DuckDBPyConnection:
    """A separate connection. If tables are compared, the newest snapshot is attached to it read-only."""
    import duckdb

    from ops_project.pipeline.warehouse import snapshots
    from ops_project.sql_text import literal

    connection = duckdb.connect(config={"memory_limit": "3GB"})
    connection.execute("set TimeZone = 'UTC'")
    if needs_warehouse:
        try:
            database = snapshots.newest(settings).database
        except snapshots.NoSnapshot as error:
            raise click.ClickException(str(error)) from None
        connection.execute(f"attach {literal(str(database))} as warehouse (read_only)")
        connection.execute("use warehouse")
    return connection


def as_data(result: ChainResult) -> dict[str, Any]:
    """The result as plain values. Differences and verdicts, which the result computes, are included."""
    return {
        "name": result.name or None,
        "title": result.title,
        "date": result.date,
        "is_break": result.is_break,
        "hops": [_hop_data(hop) for hop in result.hops],
        "first_hops": [
            {
                "hop": f"{item.source} → {item.target}",
                "class": item.key_class.value,
                "keys": item.keys,
                "absolute": dict(item.absolute),
                "samples": list(item.samples),
            }
            for item in result.first_hops
        ],
    }


def _hop_data(hop: Comparison) -> dict[str, Any]:
    return {
        "source": hop.source,
        "target": hop.target,
        "key": list(hop.key),
        "is_break": hop.is_break,
        "dates": list(hop.dates),
        "reasons": [reason.value for reason in hop.reasons],
        "control_totals": [
            {
                "name": total.name,
                "source": total.source,
                "target": total.target,
                "difference": total.difference,
                "quarantined": total.refused,
                "reasons": [reason.value for reason in total.reasons],
            }
            for total in hop.totals
        ],
        "classes": [
            {
                "class": item.key_class.value,
                "keys": item.keys,
                "differing": item.differing,
                "source_rows": item.source_rows,
                "target_rows": item.target_rows,
                "explains": dict(item.net),
                "absolute": dict(item.absolute),
                "samples": list(item.samples),
            }
            for item in hop.classes
        ],
    }


def render(result: ChainResult) -> None:
    """Print the result hop by hop, for a person."""
    console.print(styled(("bold", result.title), f", {result.date}" if result.date else ""))
    for hop in result.hops:
        verdict = ("red", "break") if hop.is_break else ("green", "agree")
        why = f" ({', '.join(hop.reasons)})" if hop.is_break else ""
        names = ("bold", f"{hop.source} → {hop.target}")
        console.print(styled("\n", names, ": ", verdict, f"{why}, by {', '.join(hop.key)}"))
        if hop.dates:
            console.print(f"Business dates with a difference: {', '.join(hop.dates)}")
        console.print(
            table(
                ["control total", "source", "target", "difference", "beyond tolerance"],
                [
                    [
                        t.name,
                        t.source,
                        t.target,
                        t.difference,
                        ", ".join(t.reasons) if t.tolerance else "not judged",
                    ]
                    for t in hop.totals
                ],
            )
        )
        _render_classes(hop)
    if result.first_hops:
        measures = sorted({name for item in result.first_hops for name in item.absolute})
        console.print(styled("\n", ("bold", "First hop of each break")))
        console.print(
            table(
                ["hop", "class", "keys", *(f"|{name}|" for name in measures), "for example"],
                [
                    [
                        f"{item.source} → {item.target}",
                        item.key_class.value,
                        item.keys,
                        *(item.absolute.get(name) for name in measures),
                        "; ".join(_key_text(sample) for sample in list(item.samples)[:3]),
                    ]
                    for item in result.first_hops
                ],
            )
        )


def _render_classes(hop: Comparison) -> None:
    if not hop.classes:
        return
    measures = list(hop.classes[0].net)
    console.print(
        table(
            [
                "class",
                "keys",
                "differ",
                *(f"explains of {name}" for name in measures),
                *(f"|{m}|" for m in measures),
            ],
            [
                [
                    item.key_class.value,
                    item.keys,
                    item.differing,
                    *(item.net[name] for name in measures),
                    *(item.absolute[name] for name in measures),
                ]
                for item in hop.classes
            ],
        )
    )
    for item in hop.classes:
        if item.samples:
            console.print(f"{item.key_class.value}, largest first:")
            columns = list(item.samples[0])
            console.print(
                table(
                    columns,
                    [[str(v) if (v := row[c]) is not None else None for c in columns] for row in item.samples],
                )
            )


def _key_text(sample: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in sample.items())
