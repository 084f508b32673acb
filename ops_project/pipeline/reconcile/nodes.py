"""The rows of the nodes of a configured reconciliation: tables, files, and landed files in the archive."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection
from datetime import date
from pathlib import Path

import duckdb

from ops_project.model.reconciliation import Node, Reconciliation
from ops_project.pipeline.reconcile.files import file_side, header_and_delimiter
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, relation_side, table_side
from ops_project.sql_text import identifier, literal


def resolve(
    connection: duckdb.DuckDBPyConnection,
    chain: Reconciliation,
    node: Node,
    archive: Path | None,
    days: Collection[date] | None,
) -> Side:
    """The rows of a node, with the chain's columns."""
    if node.table:
        side = table_side(connection, node.table)
    elif node.file:
        side = file_side(connection, node.file)
    else:
        side = _archived_side(connection, str(node.feed), archive, days)
    relation = side.relation
    if node.query:
        relation = f"({node.query.format(rows=relation)})"
    if node.columns:
        mapped = ", ".join(f"{expression} as {identifier(name)}" for name, expression in node.columns.items())
        known = relation_side(connection, node.name, relation).types
        excluded = [identifier(name) for name in node.columns if name in known]
        rest = f"* exclude ({', '.join(excluded)})" if excluded else "*"
        relation = f"(select {rest}, {mapped} from {relation})"
    conditions = [node.where] if node.where else []
    if days is not None:
        conditions.append(_on(chain, days))
    if conditions:
        relation = f"(from {relation} where {' and '.join(f'({condition})' for condition in conditions)})"
    return relation_side(connection, node.name, relation, is_file=side.is_file)


def _archived(
    connection: duckdb.DuckDBPyConnection, feed: str, archive: Path | None, days: Collection[date] | None
) -> list[tuple[str, Path, date]]:
    """Batch id, archived file and business date of every valid delivery of a feed, oldest date first. The order is by
    the date of the file and not by the order of loading: a file that comes late does not contain later changes.
    """
    only = "" if days is None else f" and business_date in ({_dates(days)})"
    rows = connection.execute(
        "select batch_id, archive_path, business_date from ops.batches"
        f" where feed = ? and status = 'loaded' and archive_path is not null{only}"
        " order by business_date, part nulls first, load_seq",
        [feed],
    ).fetchall()
    return [(batch, (archive or Path()) / text, on) for batch, text, on in rows]


def _archived_side(
    connection: duckdb.DuckDBPyConnection, feed: str, archive: Path | None, days: Collection[date] | None
) -> Side:
    found = _archived(connection, feed, archive, days)
    if not found:
        when = f" for {span(days)}" if days else ""
        raise ReconcileError(f"feed {feed!r} has no landed file{when}: there is no source to reconcile with")
    sides = [file_side(connection, path) for _, path, _ in found]
    union = " union all by name ".join(
        f"select *, {number} as _delivery, date {literal(str(on))} as _business_date from {side.relation}"
        for number, ((_, _, on), side) in enumerate(zip(found, sides, strict=True))
    )
    return relation_side(connection, feed, f"({union})", is_file=True)


def refused_keys(
    connection: duckdb.DuckDBPyConnection,
    chain: Reconciliation,
    node: Node,
    archive: Path | None,
    days: Collection[date] | None,
) -> str | None:
    """The name of a temporary table with the keys that landing quarantined from the node's files (k0…, as text). None
    if there are none.
    """
    files = {batch: (path, on) for batch, path, on in _archived(connection, str(node.feed), archive, days)}
    rows = connection.execute(
        "select batch_id, raw_text from ops.quarantine where feed = ? and raw_text is not null", [node.feed]
    ).fetchall()
    keys = {key for batch, text in rows if batch in files and (key := _key_of(text, *files[batch], chain))}
    if not keys:
        return None
    table = "rec_refused"
    columns = ", ".join(f"k{index} varchar" for index in range(len(chain.key)))
    connection.execute(f"create or replace temp table {table} ({columns})")
    marks = ", ".join("?" * len(chain.key))
    connection.executemany(f"insert into {table} values ({marks})", sorted(keys))
    return table


def _key_of(raw_text: str, file: Path, on: date, chain: Reconciliation) -> tuple[str, ...] | None:
    """The key of a raw line; None if the line cannot be read. If the line has no date, the date of the delivery is
    used.
    """
    if raw_text.lstrip().startswith("{"):
        try:
            record = json.loads(raw_text)
        except ValueError:
            return None
    else:
        names, delimiter = header_and_delimiter(file)
        record = dict(zip(names, next(csv.reader([raw_text], delimiter=delimiter), []), strict=False))
    if chain.date_column is not None:
        record.setdefault(chain.date_column, on.isoformat())
    found = tuple(str(record.get(name, "")) for name in chain.key)
    return found if all(found) else None


def computed(
    connection: duckdb.DuckDBPyConnection,
    chain: Reconciliation,
    source: Side,
    after: Node,
    days: Collection[date] | None,
) -> Side:
    """The rows that the target should have. The query of the target computes them from the source, or the source is
    summed by the target's grain.
    """
    if after.from_previous:
        relation = f"({after.from_previous.format(rows=source.relation)})"
        if days is not None:
            relation = f"(from {relation} where {_on(chain, days)})"
    else:
        grain = ", ".join(identifier(name) for name in after.grain)
        sums = [f"sum({identifier(m.column)}) as {identifier(m.column)}" for m in chain.measures.values()]
        if after.rows_column:
            sums.insert(0, f"count(*) as {identifier(after.rows_column)}")
        relation = f"(select {', '.join([grain, *sums])} from {source.relation} group by {grain})"
    return relation_side(connection, source.label, relation, is_file=source.is_file)


def _on(chain: Reconciliation, days: Collection[date]) -> str:
    return f"cast({identifier(str(chain.date_column))} as date) in ({_dates(days)})"


def _dates(days: Collection[date]) -> str:
    return ", ".join(f"date '{day.isoformat()}'" for day in sorted(days)) or "null"


def span(days: Collection[date] | None) -> str | None:
    if not days:
        return None
    first, last = min(days).isoformat(), max(days).isoformat()
    return first if first == last else f"{first} – {last}"
