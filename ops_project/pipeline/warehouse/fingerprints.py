"""Describes the content of a table by its number of rows and a checksum that does not depend on their order. A small
table is hashed as a whole. If a large table has a `business_date`, only the dates that this run touched are hashed.
Otherwise one more day would cost as much as the whole history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from ops_project.sql_text import literal, relation

# Hashing 2 million rows of 10 columns takes about 0.15 s on two cores.
WHOLE_BELOW_ROWS = 2_000_000
PARTITION_COLUMN = "business_date"
SCHEMAS = ("bronze", "silver", "gold", "ops")


@dataclass(frozen=True)
class Fingerprint:
    """The content of a table.

    `checksum`: hexadecimal. It is equal for equal rows in any order.
    `parts`: business date → (number of rows, sum of the hashes). Only large tables have parts.
    """

    rows: int
    checksum: str
    columns: tuple[tuple[str, str], ...]
    parts: dict[str, tuple[int, int]] | None = None

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "rows": self.rows,
            "checksum": self.checksum,
            "columns": [list(c) for c in self.columns],
        }
        if self.parts is not None:
            data["parts"] = {day: list(value) for day, value in self.parts.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fingerprint:
        parts = data.get("parts")
        return cls(
            rows=data["rows"],
            checksum=data["checksum"],
            columns=tuple((name, kind) for name, kind in data["columns"]),
            parts=None if parts is None else {day: (value[0], value[1]) for day, value in parts.items()},
        )


def tables(
    connection: duckdb.DuckDBPyConnection, schemas: Iterable[str] = SCHEMAS
) -> dict[str, tuple[tuple[str, str], ...]]:
    """`schema.table` → the columns (name, type) in their order, for the tables and views of these schemas."""
    found: dict[str, list[tuple[str, str]]] = {}
    # The names are written into the statement. For bound parameters, DuckDB would import pandas, which would make `ops
    # status` one second slower.
    asked = ", ".join(map(literal, schemas))
    rows = connection.execute(
        "SELECT c.schema_name, c.table_name, c.column_name, c.data_type FROM duckdb_columns() c "
        f"WHERE c.schema_name IN ({asked}) AND c.database_name = current_database() AND NOT c.internal "
        "ORDER BY c.schema_name, c.table_name, c.column_index"
    ).fetchall()
    for schema, table, column, kind in rows:
        found.setdefault(f"{schema}.{table}", []).append((column, kind))
    return {name: tuple(columns) for name, columns in found.items()}


def fingerprint(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: tuple[tuple[str, str], ...],
    *,
    before: Fingerprint | None = None,
    touched: Collection[str] | None = None,
) -> Fingerprint:
    """The fingerprint of `schema.table`.

    `before`: the earlier fingerprint of the table.
    `touched`: the business dates (ISO) that changed since then.

    With both, only the touched dates of a large table are hashed. If the numbers of rows do not add up to that of the
    table, the whole table is hashed.
    """
    name = relation(table)
    rows = None
    if PARTITION_COLUMN in dict(columns):
        rows = _row(connection, f"SELECT count(*) FROM {name}")[0]
    if rows is None or rows < WHOLE_BELOW_ROWS:
        # One statement, because DuckDB computes a view anew for each one.
        rows, total = _row(connection, f"SELECT count(*), {_SUM} FROM {name} t")
        return Fingerprint(rows, _hex(rows, total), columns)
    parts: dict[str, tuple[int, int]] | None = None
    if before is not None and before.parts is not None and before.columns == columns and touched is not None:
        parts = {day: part for day, part in before.parts.items() if day not in touched}
        parts |= _parts(connection, name, sorted(touched))
        if sum(part[0] for part in parts.values()) != rows:
            parts = None
    if parts is None:
        parts = _parts(connection, name, None)
    return Fingerprint(rows, _hex(rows, sum(part[1] for part in parts.values())), columns, parts)


# The hashes are added. With xor instead, two equal rows would cancel out. A HUGEINT can hold the sum of 2^63 hashes of
# 64 bits.
_SUM = "coalesce(sum(hash(t)::HUGEINT), 0)::HUGEINT"


def _parts(connection: duckdb.DuckDBPyConnection, name: str, days: list[str] | None) -> dict[str, tuple[int, int]]:
    where = "" if days is None else f"WHERE {PARTITION_COLUMN} IN (SELECT unnest(?)::DATE)"
    rows = connection.execute(
        f"SELECT coalesce({PARTITION_COLUMN}::VARCHAR, ''), count(*), {_SUM} FROM {name} t {where} "
        "GROUP BY 1 ORDER BY 1",
        [] if days is None else [days],
    ).fetchall()
    return {day: (count, int(total)) for day, count, total in rows}


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return tuple(map(int, connection.execute(query).fetchone() or ()))


def _hex(rows: int, total: int) -> str:
    return f"{(total + rows) % (1 << 64):016x}"
