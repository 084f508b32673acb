"""Compares the nodes of a configured reconciliation, hop by hop. A hop is the step from one node to the next. The
result says at which hop each difference first appears, and which classes explain it.

Only neighbours are compared. So an error shows only at the hop that made it. A key that differs at several hops is
reported at the first of them. The module reads tables, files and the archive, and writes only temporary tables.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ops_project.model.reconciliation import Measure, Node, Reconciliation
from ops_project.pipeline.reconcile.break_dates import break_dates
from ops_project.pipeline.reconcile.classify import ChainResult, Comparison, FirstHop, KeyClass
from ops_project.pipeline.reconcile.compare import compare
from ops_project.pipeline.reconcile.nodes import computed, refused_keys, resolve, span
from ops_project.pipeline.reconcile.sides import ReconcileError
from ops_project.sql_text import literal

FIRST_SAMPLES = 5


def hop_by_hop(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    chain: Reconciliation,
    *,
    archive: Path | None = None,
    days: Collection[date] | None = None,
    samples: int = 20,
) -> Generator[ChainResult, None, None]:
    """Compare each hop of `chain`, and give the result of the chain up to that hop. The last result is that of the
    whole chain. Raises ReconcileError at the first node that cannot be read.

    `archive`: the archive paths of landed files are relative to this folder.
    `days`: the business dates of every node that are compared; None means all.
    `samples`: the most keys shown for a class.
    """
    if days is not None and chain.date_column is None:
        raise ReconcileError(f"{name} has no date_column: it cannot be restricted to a date")
    kept: list[str] = []
    hops: list[Comparison] = []
    first: list[FirstHop] = []
    try:
        for index, (before, after) in enumerate(zip(chain.nodes, chain.nodes[1:], strict=False)):
            table = f"rec_chain_{index}"
            hop = _hop(
                connection, chain, before, after=after, archive=archive, days=days, samples=samples, keep_keys=table
            )
            hops.append(hop)
            kept.append(table)
            first += _first_here(
                connection, chain, hop, after=after, table=table, earlier=kept[:-1] if not after.grain else []
            )
            yield ChainResult(name, chain.title, span(days), tuple(hops), tuple(first))
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
        source = computed(connection, chain, source, after, days)
    if after.grain:
        key, attributes = after.grain, ()
        if after.rows_column:
            measures = {
                chain.count.name: Measure(column=after.rows_column, tolerance=chain.count.tolerance),
                **measures,
            }
    refused = refused_keys(connection, chain, before, archive, days) if before.feed else None
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
