"""Compares the nodes of a configured reconciliation, hop by hop. A hop is the step from one node to the next. The
result says at which hop each difference first appears, and which classes explain it.

Only neighbours are compared. So an error shows only at the hop that made it. A key that differs at several hops is
reported at the first of them. The module reads tables, files and the archive, and writes only temporary tables.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ops_project.model.reconciliation import Measure, Node, Reconciliation
from ops_project.pipeline.reconcile.break_dates import break_dates
from ops_project.pipeline.reconcile.classify import ChainResult, Comparison, FirstHop, KeyClass
from ops_project.pipeline.reconcile.compare import compare
from ops_project.pipeline.reconcile.files import file_side, header_and_delimiter
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, relation_side, table_side
from ops_project.sql_text import identifier, literal

FIRST_SAMPLES = 5


def reconcile(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    chain: Reconciliation,
    *,
    archive: Path | None = None,
    days: Collection[date] | None = None,
    samples: int = 20,
    only_hops_into: Iterable[str] | None = None,
) -> ChainResult:
    """Compare each hop of `chain`. Raises ReconcileError if a node cannot be read.

    `archive`: the archive paths of landed files are relative to this folder.
    `days`: the business dates of every node that are compared; None means all.
    `samples`: the most keys shown for a class.
    `only_hops_into`: the nodes whose hops are compared; None means all.
    """
    found = [
        ChainResult(name, chain.title, _span(days), ()),
        *hop_by_hop(
            connection, name, chain, archive=archive, days=days, samples=samples, only_hops_into=only_hops_into
        ),
    ]
    return found[-1]


def hop_by_hop(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    chain: Reconciliation,
    *,
    archive: Path | None = None,
    days: Collection[date] | None = None,
    samples: int = 20,
    only_hops_into: Iterable[str] | None = None,
) -> Iterator[ChainResult]:
    """As `reconcile`: the result of the chain up to each hop."""
    if days is not None and chain.date_column is None:
        raise ReconcileError(f"{name} has no date_column: it cannot be restricted to a date")
    wanted = None if only_hops_into is None else set(only_hops_into)
    kept: list[str] = []
    hops: list[Comparison] = []
    first: list[FirstHop] = []
    try:
        for index, (before, after) in enumerate(zip(chain.nodes, chain.nodes[1:], strict=False)):
            if wanted is not None and after.name not in wanted:
                continue
            table = f"rec_chain_{index}"
            hop = _hop(
                connection, chain, before, after=after, archive=archive, days=days, samples=samples, keep_keys=table
            )
            hops.append(hop)
            kept.append(table)
            first += _first_here(
                connection, chain, hop, after=after, table=table, earlier=kept[:-1] if not after.grain else []
            )
            yield ChainResult(name, chain.title, _span(days), tuple(hops), tuple(first))
    finally:
        for table in kept:
            connection.execute(f"drop table if exists {table}")


def recent_days(connection: duckdb.DuckDBPyConnection, chain: Reconciliation, now: datetime) -> list[date]:
    """The newest `window_dates` business dates of the chain's feeds. Business dates for which a file was loaded in the
    last day before `now` are added.
    """
    feeds = [node.feed for node in chain.nodes if node.feed]
    rows = connection.execute(
        """
        with dates as (
            select business_date, max(loaded_at) as loaded_at
            from ops.batches
            where list_contains(?, feed) and status = 'loaded' and business_date is not null
            group by business_date
        )
        select business_date from dates
        where loaded_at > ?
        union
        (select business_date from dates order by business_date desc limit ?)
        order by business_date
        """,
        [feeds, now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=1), chain.window_dates],
    ).fetchall()
    return [row[0] for row in rows]


def _hop(
    connection: duckdb.DuckDBPyConnection,
    chain: Reconciliation,
    before: Node,
    *,
    after: Node,
    archive: Path | None,
    days: Collection[date] | None,
    samples: int,
    keep_keys: str,
) -> Comparison:
    source = resolve(connection, chain, before, archive, None if after.from_previous else days)
    target = resolve(connection, chain, after, archive, days)
    key, measures, attributes = chain.key, dict(chain.measures), chain.compare
    if after.grain or after.from_previous:
        source = _computed(connection, chain, source, after, days)
    if after.grain:
        key, attributes = after.grain, ()
        if after.rows_column:
            measures = {
                chain.count.name: Measure(column=after.rows_column, tolerance=chain.count.tolerance),
                **measures,
            }
    refused = _refused_keys(connection, chain, before, archive, days) if before.feed else None
    try:
        found = compare(
            connection,
            replace(source, label=before.name),
            replace(target, label=after.name),
            key=key,
            measures=measures,
            attributes=attributes,
            count_name="groups" if after.grain else chain.count.name,
            count_tolerance=chain.count.tolerance,
            samples=samples,
            quarantined=refused,
            keep_keys=keep_keys,
        )
        if found.differing_keys:
            dates = break_dates(connection, chain.date_column, key, (source, target), keep_keys)
            return replace(found, dates=dates)
        return found
    finally:
        if refused:
            connection.execute(f"drop table if exists {refused}")


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
        when = f" for {_span(days)}" if days else ""
        raise ReconcileError(f"feed {feed!r} has no landed file{when}: there is no source to reconcile with")
    sides = [file_side(connection, path) for _, path, _ in found]
    union = " union all by name ".join(
        f"select *, {number} as _delivery, date {literal(str(on))} as _business_date from {side.relation}"
        for number, ((_, _, on), side) in enumerate(zip(found, sides, strict=True))
    )
    return relation_side(connection, feed, f"({union})", is_file=True)


def _refused_keys(
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


def _computed(
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


def _span(days: Collection[date] | None) -> str | None:
    if not days:
        return None
    first, last = min(days).isoformat(), max(days).isoformat()
    return first if first == last else f"{first} – {last}"


def _first_here(
    connection: duckdb.DuckDBPyConnection,
    chain: Reconciliation,
    hop: Comparison,
    *,
    after: Node,
    table: str,
    earlier: list[str],
) -> list[FirstHop]:
    """The differences at this hop that exist at no earlier hop, by class.

    `table`: the table of the keys that differ at this hop.
    `earlier`: the same tables of the earlier hops.
    """
    width = len(hop.key)
    names = list(chain.measures)
    known = " ".join(
        f"and not exists (select 1 from {other} where {other}.differs and "
        + " and ".join(f"{other}.k{i}::varchar = {table}.k{i}::varchar" for i in range(width))
        + ")"
        for other in earlier
        if _width(connection, other) == width
    )
    # In the keys of an aggregated table, the number of rows is the first measure.
    shift = 1 if after.grain and after.rows_column else 0
    amounts = "".join(
        f", coalesce(sum(abs(coalesce(s_m{i + shift}, 0) - coalesce(t_m{i + shift}, 0))), 0)" for i in range(len(names))
    )
    found = []
    for kind in KeyClass:
        if kind is KeyClass.QUARANTINED:
            continue
        where = f"from {table} where class = {literal(kind)} and differs {known}"
        row = connection.execute(f"select count(*){amounts} {where}").fetchall()[0]
        if not row[0]:
            continue
        keys = connection.execute(
            f"select {', '.join(f'k{i}' for i in range(width))} {where} order by all limit {FIRST_SAMPLES}"
        ).fetchall()
        found.append(
            FirstHop(
                source=hop.source,
                target=hop.target,
                key_class=kind,
                keys=row[0],
                absolute=dict(zip(names, row[1:], strict=True)),
                samples=[dict(zip(hop.key, key, strict=True)) for key in keys],
            )
        )
    null_keys = hop.explained(KeyClass.NULL_KEY)
    if null_keys is not None and null_keys.is_break:
        found.append(
            FirstHop(
                source=hop.source,
                target=hop.target,
                key_class=KeyClass.NULL_KEY,
                keys=null_keys.differing,
                absolute=null_keys.absolute,
                samples=null_keys.samples,
            )
        )
    return found


def _width(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    described = connection.execute(f"describe {table}").fetchall()
    return sum(1 for name, *_ in described if name.startswith("k") and name[1:].isdigit())
