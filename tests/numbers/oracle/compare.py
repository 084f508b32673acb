"""Compares a table of gold with the second computation: every row and every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from tests.numbers.site import CLOCKS


@dataclass(frozen=True)
class Near:
    """A number that the model approximates, and the largest permitted difference."""

    value: float
    within: float


@dataclass(frozen=True)
class Table:
    """The expected content of a table: its key, and for each key every other column. `left_out`: columns that cannot
    be derived from the files, with the reason.
    """

    key: Sequence[str]
    rows: Mapping[tuple[Any, ...], Mapping[str, Any]]
    left_out: Mapping[str, str] = field(default_factory=dict)
    schema: str = "gold"


def differences(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> list[str]:
    """The differences in the table `name`, in words; [] if there are none."""
    cursor = connection.execute(f"select * from {table.schema}.{name}")
    columns = [column[0] for column in cursor.description or ()]
    found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    actual = {tuple(row[column] for column in table.key): row for row in found}
    wrong = [f"{name}: {len(found)} rows of {len(actual)} keys"] if len(found) != len(actual) else []
    wrong += [f"{name} {key}: the row is missing" for key in table.rows if key not in actual]
    wrong += [f"{name} {key}: there should be no such row" for key in actual if key not in table.rows]
    compared = [column for column in columns if column not in {*table.key, *CLOCKS, *table.left_out}]
    uncovered = {column for column in compared for row in table.rows.values() if column not in row}
    assert not uncovered, f"{name}: nobody computes {sorted(uncovered)} a second time"
    for key in actual.keys() & table.rows.keys():
        for column in compared:
            if not agrees(actual[key][column], table.rows[key][column]):
                wrong.append(f"{name} {key} {column}: {actual[key][column]!r} in place of {table.rows[key][column]!r}")
    return wrong


def agrees(actual: Any, expected: Any) -> bool:
    """Whether the value in the table agrees with the expected one. An expected quotient is an exact fraction; the table
    rounds it to as many places as its column has.
    """
    if actual is None or expected is None:
        return actual is expected
    if isinstance(expected, Near):
        return abs(float(actual) - expected.value) <= expected.within
    if isinstance(actual, float):
        return abs(actual - float(expected)) <= 1e-9 * max(1.0, abs(float(expected)))
    if isinstance(expected, Fraction):
        exponent = Decimal(actual).as_tuple().exponent
        assert isinstance(exponent, int)
        return abs(Fraction(actual) - expected) <= Fraction(1, 2) * Fraction(10) ** exponent + Fraction(1, 10**9)
    return bool(actual == expected)


def ratio(numerator: Any, denominator: Any) -> Fraction | None:
    """The quotient; None if the divisor is zero or one of the two numbers is unknown."""
    return Fraction(numerator) / Fraction(denominator) if denominator and numerator is not None else None
