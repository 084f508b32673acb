"""The two sides of a comparison, and SQL that gives their columns a common type. The columns of files are text (see
`files`). `agreed` decides the common type of text columns. A measure that is not a number on both sides is refused. The
message names the first row that is not a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from ops_project.counted import counted
from ops_project.model.feed.column import Column
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read import casts
from ops_project.sql_text import identifier

# Binary floating point has no exact decimal value. Both sides are rounded to six decimal places, so amounts are exact
# to less than a thousandth of a cent.
FLOAT_SCALE = 6
MAX_SCALE = 12
INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
WIDE_INTEGERS = {"UBIGINT", "HUGEINT", "UHUGEINT"}
FLOATS = {"FLOAT", "DOUBLE"}
TIMES = {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
ZONED = "TIMESTAMP WITH TIME ZONE"
DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


class ReconcileError(ValueError):
    """Two sides cannot be compared. The message names the file or table, the column, and what would be right."""


@dataclass(frozen=True)
class Side:
    """Rows to compare.

    `relation`: SQL that is written after FROM.
    `types`: column → DuckDB type, in the order of the relation.
    """

    label: str
    relation: str
    types: dict[str, str]
    is_file: bool = False

    def type_of(self, column: str) -> str:
        if column not in self.types:
            raise ReconcileError(f"{self.label}: no column {column!r}; valid: {', '.join(self.types)}")
        return self.types[column]


def relation_side(connection: duckdb.DuckDBPyConnection, label: str, relation: str, is_file: bool = False) -> Side:
    """A side from any SQL that can be written after FROM."""
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
    except duckdb.Error as error:
        raise ReconcileError(f"{label}: {error}") from None
    return Side(label, relation, {name: kind for name, kind, *_ in described}, is_file)


def table_side(connection: duckdb.DuckDBPyConnection, name: str) -> Side:
    """A side from a table or view, written as `table`, `schema.table` or `database.schema.table`."""
    return relation_side(connection, name, ".".join(identifier(part) for part in name.split(".")))


def renamed(connection: duckdb.DuckDBPyConnection, side: Side, names: Mapping[str, str]) -> Side:
    """The same side with some columns renamed.

    `names`: the side's own name → the name that the other side uses.
    """
    for name in names:
        side.type_of(name)
    if taken := sorted(set(names.values()) & (set(side.types) - set(names))):
        raise ReconcileError(
            f"{side.label}: has a column {', '.join(map(repr, taken))} already; compare it by that name"
        )
    listed = ", ".join(f"{identifier(name)} as {identifier(names.get(name, name))}" for name in side.types)
    return relation_side(connection, side.label, f"(select {listed} from {side.relation})", side.is_file)


def key_type(source: Side, target: Side, column: str) -> str:
    """The common type of a key or a compared column. The type is text if no other type holds the values of both sides
    exactly.
    """
    types = {source.type_of(column), target.type_of(column)}
    if types <= INTEGERS:
        return "BIGINT"
    if types <= INTEGERS | WIDE_INTEGERS:
        return "HUGEINT"
    if len(types) == 1:
        return types.pop()
    if types <= TIMES:
        return "TIMESTAMP"
    numbers = [DECIMAL.fullmatch(kind) for kind in types if kind not in INTEGERS]
    if all(numbers):
        return f"DECIMAL(38,{max(int(match[2]) for match in numbers if match)})"
    return "VARCHAR"


def measure_type(
    connection: duckdb.DuckDBPyConnection, source: Side, target: Side, column: str, scale: int | None
) -> str:
    """The DECIMAL type in which both sides of a measure are compared.

    `scale`: both sides are rounded to this number of decimal places. If it is None, floating point is rounded to 6
    places, and the type holds all other values exactly.
    """
    parts = [_width_and_scale(connection, side, column, scale is not None) for side in (source, target)]
    places = scale if scale is not None else max(places for _, places in parts)
    # Sums over a narrow type are several times as fast as over DECIMAL(38).
    return f"DECIMAL({casts.NARROW if max(digits for digits, _ in parts) + places <= casts.NARROW else 38},{places})"


def _width_and_scale(connection: duckdb.DuckDBPyConnection, side: Side, column: str, rounded: bool) -> tuple[int, int]:
    """The largest number of digits before the point, and of decimal places, that a column can need."""
    kind = side.type_of(column)
    if match := DECIMAL.fullmatch(kind):
        return int(match[1]) - int(match[2]), int(match[2])
    if kind in {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"}:
        return 10, 0
    if kind in INTEGERS | WIDE_INTEGERS:
        return 20, 0
    if kind in FLOATS:
        _refuse(connection, side, column, "not isfinite(value)")
        return 20, FLOAT_SCALE
    if kind == "VARCHAR":
        return 20, _text_scale(connection, side, column, rounded)
    raise ReconcileError(f"{side.label}: column {column!r} is {kind}, not a number; it can be compared, not summed")


def _text_scale(connection: duckdb.DuckDBPyConnection, side: Side, column: str, rounded: bool) -> int:
    """The number of decimal places in a text column. Raises ReconcileError about the first value that is not a number,
    with its row.

    `rounded`: the values will be rounded to a given number of places. Then values that are written as floats are
    accepted too: 1e-05, or a value with 15 places.
    """
    name, exponent = identifier(column), r"([eE][+-]?\d{1,3})?" if rounded else ""
    places = connection.execute(
        f"select max(length(split_part({name}, '.', 2))) from {side.relation} where {name} is not null and {name} <> ''"
    ).fetchall()[0][0]
    number = rf"regexp_full_match(trim(value), '[+-]?(\d+\.?\d*|\.\d+){exponent}')"
    _refuse(connection, side, column, f"value is not null and value <> '' and not {number}")
    if (places or 0) > MAX_SCALE and not rounded:
        raise ReconcileError(
            f"{side.label}: column {column!r} has {counted(places, 'decimal place')}; at most {MAX_SCALE} are "
            "compared exactly, "
            "say to how many both sides are rounded (--scale N, or `scale` of a configured measure)"
        )
    return int(places or 0)


def _refuse(connection: duckdb.DuckDBPyConnection, side: Side, column: str, condition: str) -> None:
    """Raises ReconcileError about the first value of a column for which a condition is true.

    `condition`: SQL on `value`.
    """
    bad = connection.execute(
        f"select row_number, value from (select row_number() over () as row_number, {identifier(column)} as value"
        f" from {side.relation}) where {condition} limit 1"
    ).fetchall()
    if bad:
        row, value = bad[0]
        line = f"line {row + 1}" if side.is_file else f"row {row}"
        raise ReconcileError(
            f"{side.label}: {line}: column {column!r} holds {str(value)!r}, which is not a plain number"
        )


def projection(
    side: Side,
    keys: Sequence[tuple[str, str]],
    measures: Sequence[tuple[str, str]],
    attributes: Sequence[tuple[str, str]],
    *,
    blank_is_null: bool = False,
) -> str:
    """A SELECT of the side with the columns k0…, m0…, a0….

    `keys`, `measures`, `attributes`: pairs (column, type). Each column is cast to its type.
    `blank_is_null`: turn empty texts into NULL in keys and attributes too. A file cannot distinguish an empty text from
    a missing value. In measures, an empty text is always NULL.
    """
    columns = [f"{_cast(side, name, kind, blank_is_null)} as k{index}" for index, (name, kind) in enumerate(keys)]
    columns += [f"{_cast(side, name, kind)} as m{index}" for index, (name, kind) in enumerate(measures)]
    columns += [
        f"{_cast(side, name, kind, blank_is_null)} as a{index}" for index, (name, kind) in enumerate(attributes)
    ]
    return f"select {', '.join(columns)} from {side.relation}"


def _cast(side: Side, column: str, kind: str, blank_is_null: bool = False) -> str:
    have, name = side.type_of(column), identifier(column)
    if have == "VARCHAR":
        if match := DECIMAL.fullmatch(kind):
            return _decimal(f"nullif(trim({name}), '')", int(match[1]), int(match[2]))
        if kind in ("DATE", "TIMESTAMP"):
            return as_instant(f"trim({name})", kind)
        if kind == "VARCHAR" and blank_is_null:
            return f"nullif({name}, '')"
    if have == kind:
        return name
    if have == ZONED and kind == "TIMESTAMP":
        return f"timezone('UTC', {name})"
    if DECIMAL.fullmatch(kind) and have in FLOATS:
        # The shortest text of the number is cast, as it would stand in a CSV file. 1.005 becomes 1.01. The binary value
        # is slightly less than 1.005, and would become 1.00. This costs 0.2 s for 2 million values, while a cast of the
        # binary number costs 0.02 s.
        return f"cast({_without_exponent(f'cast({name} as varchar)')} as {kind})"
    return f"cast({name} as {kind})"


def as_instant(text: str, kind: str) -> str:
    """SQL that reads an ISO date or time from a text, as landing does. The time is in UTC."""
    day = casts.typed(text, Column(type="date"), Format())
    if kind == "DATE":
        return day
    return f"coalesce({casts.typed(text, Column(type='timestamp'), Format())}, cast({day} as timestamp))"


def _decimal(text: str, width: int, scale: int) -> str:
    """SQL that reads a DECIMAL from a text. Most numbers have at most 18 digits. DuckDB reads such a number in 0.05 µs
    with a machine word, and in 4.6 µs as a DECIMAL(38). So the wide type reads only what the narrow one cannot hold.
    """
    kind = f"DECIMAL({width},{scale})"
    exact = f"cast({_without_exponent(text)} as {kind})"
    if width <= casts.NARROW or scale > casts.NARROW:
        return exact
    narrow = f"cast(try_cast({text} as DECIMAL({casts.NARROW},{scale})) as {kind})"
    return f"case when regexp_matches({text}, '[eE]') then {exact} else coalesce({narrow}, cast({text} as {kind})) end"


def _without_exponent(text: str) -> str:
    """SQL of a number's text in which a negative exponent is written out. This is needed because DuckDB 1.5 rounds
    '6e-07' to 0.01 and '0.0000006' to 0.
    """
    whole = rf"regexp_extract({text}, '^[+-]?(\d*)', 1)"
    zeros = rf"repeat('0', cast(regexp_extract({text}, '[eE]-(\d+)', 1) as int))"
    digits = rf"{zeros} || {whole} || regexp_extract({text}, '\.(\d*)', 1)"
    return (
        f"case when regexp_matches({text}, '[eE]-') then regexp_extract({text}, '^-?') || '0' "
        f"|| left({digits}, length({whole})) || '.' || substr({digits}, length({whole}) + 1) else {text} end"
    )
