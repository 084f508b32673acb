"""Reads a Parquet file into a table of text fields. DuckDB writes the texts, so that decimals and times keep their
exact value.

Arrow reads what DuckDB refuses or would change: text that is not UTF-8, and decimals of more than 38 digits. Where
necessary it reads row by row, so that a bad value costs only its own row and not the whole file.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ops_project.pipeline.landing.read.scan import Undecodable
from ops_project.sql_text import literal, path_literal

_NESTED = ("[]", "STRUCT", "MAP", "UNION")


@dataclass(frozen=True)
class Leaf:
    """A field: a column, or a part of a struct that the contract reads by a name with dots."""

    name: str
    path: tuple[int, ...]
    """The position of the column, followed by the position of each part within its parent."""
    type: pa.DataType


def parquet_fields(path: Path, names: Sequence[str]) -> tuple[list[str], int]:
    """The names of the fields of a Parquet file, and the number of its rows. Raises Undecodable.

    A struct of which `names` holds a part (`address.city`) is listed by the names of its parts.
    """
    try:
        with pq.ParquetFile(path) as file:
            return [leaf.name for leaf in _leaves(file.schema_arrow, names)], file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken(error) from None


def read_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, names: Sequence[str]
) -> tuple[int, int]:
    """Fill `table` (`_ord`, `_line`, `_problem`, `_r<i>`). Returns the number of its rows, and the number of rows with
    a problem. Raises Undecodable.
    """
    try:
        with pq.ParquetFile(path) as file:
            leaves, width = _leaves(file.schema_arrow, names), len(file.schema_arrow.names)
            if not any(pa.types.is_decimal256(leaf.type) for leaf in leaves):
                try:
                    return _by_duckdb(connection, path, table, leaves, width)
                except duckdb.Error as error:
                    if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error):
                        raise
            return _by_arrow(connection, file, table, leaves)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _broken(error) from None
    except (pa.ArrowException, ValueError) as error:
        raise _broken(error) from None


def _broken(error: Exception) -> Undecodable:
    return Undecodable(f"not a whole Parquet file: {(str(error) or type(error).__name__).splitlines()[0]}")


def _leaves(schema: pa.Schema, names: Sequence[str]) -> list[Leaf]:
    found: list[Leaf] = []

    def add(name: str, field_type: pa.DataType, path: tuple[int, ...]) -> None:
        is_read = name.strip() not in names and any(item.startswith(f"{name.strip()}.") for item in names)
        if is_read and pa.types.is_struct(field_type):
            for index in range(field_type.num_fields):
                part = field_type.field(index)
                add(f"{name.strip()}.{part.name}", part.type, (*path, index))
        else:
            found.append(Leaf(name, path, field_type))

    for index, field in enumerate(schema):
        add(field.name, field.type, (index,))
    return found


def _by_duckdb(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, leaves: Sequence[Leaf], width: int
) -> tuple[int, int]:
    # Fields are named by position. DuckDB renames fields that differ only in case, and it may add the names of folders
    # as columns.
    columns = [f"_c{index}" for index in range(width)]
    listed = ", ".join([*columns, "_place"])
    source = f"read_parquet({path_literal(path)}, file_row_number = true, hive_partitioning = false) AS file({listed})"
    values = []
    for leaf in leaves:
        sql = columns[leaf.path[0]]
        for part in leaf.path[1:]:
            sql = f"struct_extract_at({sql}, {part + 1})"
        values.append(sql)
    return _fill(connection, table, source, values=values, leaves=leaves, problem="NULL::VARCHAR")


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: str,
    *,
    values: Sequence[str],
    leaves: Sequence[Leaf],
    problem: str,
    more: bool = False,
) -> tuple[int, int]:
    """Write the rows of `source` as text. `source` must have the column `_place`. Returns the number of all rows, and
    the number of rows with a problem.
    """
    described = connection.execute(f"DESCRIBE SELECT {', '.join([*values, '_place'])} FROM {source}").fetchall()
    texts, problems = [], [problem]
    for index, (value, row) in enumerate(zip(values, described, strict=False)):
        kind = str(row[1])
        if kind == "BLOB":
            # This column holds text that its writer did not mark as text. A cast to VARCHAR would write some of its
            # bytes as `\xC3`.
            texts.append(f"TRY(decode({value})) AS _r{index}")
            words = literal(f"{leaves[index].name} holds bytes that are not UTF-8 text")
            problems.append(f"CASE WHEN {value} IS NOT NULL AND TRY(decode({value})) IS NULL THEN {words} END")
        elif kind.endswith(_NESTED[0]) or kind.startswith(_NESTED[1:]):
            texts.append(f"to_json({value})::VARCHAR AS _r{index}")
        else:
            texts.append(f"{value}::VARCHAR AS _r{index}")
    listed = ", ".join(
        ["_place AS _ord", "_place + 1 AS _line", f"coalesce({', '.join(problems)}) AS _problem", *texts]
    )
    verb = f"INSERT INTO {table}" if more else f"CREATE OR REPLACE TEMP TABLE {table} AS"
    connection.execute(f"{verb} SELECT {listed} FROM {source}")
    found = connection.execute(f"SELECT count(*), count(_problem) FROM {table}").fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def _by_arrow(
    connection: duckdb.DuckDBPyConnection, file: pq.ParquetFile, table: str, leaves: Sequence[Leaf]
) -> tuple[int, int]:
    place, counted = 0, (0, 0)
    values = [f"_c{index}" for index in range(len(leaves))]
    for batch in _batches(file):
        problems: list[str | None] = [None] * len(batch)
        columns: dict[str, pa.Array] = {"_place": pa.array(range(place, place + len(batch)), pa.int64())}
        for name, leaf in zip(values, leaves, strict=True):
            columns[name] = _readable(_part(batch, leaf), leaf.name, problems)
        columns["_why"] = pa.array(problems, pa.string())
        connection.register("landing_portion", pa.table(columns))
        try:
            counted = _fill(
                connection, table, "landing_portion", values=values, leaves=leaves, problem="_why", more=place > 0
            )
        finally:
            connection.unregister("landing_portion")
        place += len(batch)
    return counted


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    empty = True
    for batch in file.iter_batches(50_000):
        empty = False
        yield batch
    if empty:
        yield from file.schema_arrow.empty_table().to_batches() or [
            pa.RecordBatch.from_arrays(
                [pa.array([], field.type) for field in file.schema_arrow], schema=file.schema_arrow
            )
        ]


def _part(batch: pa.RecordBatch, leaf: Leaf) -> pa.Array:
    array = batch.column(leaf.path[0])
    for part in leaf.path[1:]:
        array = pc.struct_field(array, [part])
    return array


def _readable(array: pa.Array, name: str, problems: list[str | None]) -> pa.Array:
    """The same values, without the texts that are not UTF-8. The rows of such texts get a problem."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_decimal256(array.type):
        return pa.array([None if value is None else f"{value:f}" for value in array.to_pylist()], pa.string())
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return array
    texts: list[str | None] = []
    for index, data in enumerate(pc.cast(array, pa.large_binary()).to_pylist()):
        try:
            texts.append(None if data is None else data.decode("utf-8"))
        except UnicodeDecodeError:
            texts.append(None)
            problems[index] = problems[index] or f"{name} holds bytes that are not UTF-8 text"
    return pa.array(texts, pa.string())
