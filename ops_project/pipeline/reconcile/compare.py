"""Compares two sides key by key, in one DuckDB connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import duckdb

from ops_project.model.reconciliation import Measure, Tolerance
from ops_project.pipeline.reconcile.agreed import agreed_type
from ops_project.pipeline.reconcile.classify import Comparison
from ops_project.pipeline.reconcile.differences import find_differences, mark_quarantined
from ops_project.pipeline.reconcile.explained import explain
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, measure_type, projection
from ops_project.pipeline.reconcile.task import Task
from ops_project.sql_text import identifier, literal

_serial = count()


def compare(
    connection: duckdb.DuckDBPyConnection,
    source: Side,
    target: Side,
    *,
    key: Sequence[str],
    measures: dict[str, Measure] | None = None,
    attributes: Sequence[str] = (),
    count_name: str = "rows",
    count_tolerance: Tolerance | None = None,
    samples: int = 20,
    quarantined: str | None = None,
    keep_keys: str | None = None,
) -> Comparison:
    """Compare `source` with `target` on `key`. Amounts are DECIMAL throughout. Raises ReconcileError.

    `measures`, `attributes`: the columns to compare. If both are empty, every common column is compared.
    `samples`: the largest number of keys that the result shows for a class.
    `quarantined`: the name of a table with the keys that landing refused (k0…, as text).
    `keep_keys`: the name of a temporary table that receives the differing keys: class, keys, source and target
    measures.
    """
    measures = dict(measures or {})
    if not measures and not attributes:
        attributes = [name for name in source.types if name in target.types and name not in key]
    task = Task(connection, f"rec_{next(_serial)}", tuple(key), tuple(measures), tuple(attributes))
    columns = list(dict.fromkeys([*key, *(measure.column for measure in measures.values()), *attributes]))
    try:
        source, target = (_read_once(task, side, columns, letter) for letter, side in (("s", source), ("t", target)))
        typed_keys = [(name, agreed_type(connection, source, target, name)) for name in key]
        typed_measures = [
            (m.column, measure_type(connection, source, target, m.column, m.scale)) for m in measures.values()
        ]
        typed_attributes = [(name, agreed_type(connection, source, target, name)) for name in attributes]
        for letter, side in (("s", source), ("t", target)):
            select = projection(
                side,
                typed_keys,
                typed_measures,
                typed_attributes,
                blank_is_null=source.is_file or target.is_file,
            )
            # A file is parsed only once, into a table. The rows of a table are not copied.
            kind = "table" if side.is_file or not _is_plain(side) else "view"
            task.run(f"create temp {kind} {task.prefix}_{letter} as {select}")
        totals = find_differences(task)
        if quarantined:
            mark_quarantined(task, quarantined)
        if keep_keys:
            task.run(f"create or replace temp table {keep_keys} as from {task.prefix}_keys")
        return explain(
            task,
            source,
            target,
            measures=measures,
            totals=totals,
            count_name=count_name,
            count_tolerance=count_tolerance,
            samples=samples,
        )
    except duckdb.ConversionException as error:
        raise ReconcileError(f"{source.label} against {target.label}: {error}") from None
    finally:
        _clean_up(task)


def _read_once(task: Task, side: Side, columns: Sequence[str], letter: str) -> Side:
    """The side with its columns in a table, if a query makes it from files. What its texts contain is asked for each
    column, and the query would run again for each question: a third of a comparison of 3,000 rows.
    """
    if not side.is_file or _is_plain(side):
        return side
    listed = ", ".join(identifier(name) for name in columns if side.type_of(name))
    table = f"{task.prefix}_{letter}_read"
    task.run(f"create temp table {table} as select {listed} from {side.relation}")
    return replace(side, relation=table, types={name: side.types[name] for name in columns})


def _is_plain(side: Side) -> bool:
    return not side.relation.lstrip().startswith("(")


def _clean_up(task: Task) -> None:
    for suffix in ("keys", "segments", "s_dirty", "t_dirty", "candidates", "s_read", "t_read"):
        task.run(f"drop table if exists {task.prefix}_{suffix}")
    for letter in "st":
        name = f"{task.prefix}_{letter}"
        found = task.run(f"select 1 from duckdb_views() where view_name = {literal(name)} and temporary")
        task.run(f"drop {'view' if found else 'table'} if exists {name}")
