"""What the models answer to many rows that nobody wrote by hand, kept as text beside this file.

The rows of a model's unit tests are taken apart and put together anew, column by column, with other numbers and times:
joins that match and that do not, repeated keys, ends of intervals, NULLs. What the model answers to them is recorded.
The record proves no answer right; it shows that an edit changes one. Correctness is the affair of the unit tests and of
the recomputation from raw files.

After a change of a model that is meant: `python -m tests.mutation --record`, then read the difference.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.mutation.cases import Case, Fixture

FOLDER = Path(__file__).parent / "recorded"
DATASETS = 3
ROWS = 36
# The last of the datasets has a row for each of so many days in a row.
SHOWN = 4
FIRST, DAYS = date(2025, 11, 20), 200
# Where rows are put in order at last: two rows never share a value.
ORDERING = ("_load_seq", "_line", "load_seq", "line", "cdc_seq")


@dataclass(frozen=True)
class _Input:
    """One table that a unit test is given: columns with their types, and the values seen in them."""

    columns: tuple[tuple[str, str], ...]
    seen: dict[str, list[Any]]


def recorded_cases(cases: Iterable[Case], warehouse: Path) -> list[Case]:
    """For each case the same query over generated rows: its columns are all of the model's."""
    found = []
    by_model: dict[str, list[Case]] = {}
    for case in cases:
        by_model.setdefault(case.model, []).append(case)
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 1}) as connection:
        for model, own in sorted(by_model.items()):
            inputs = _inputs(connection, own)
            for number in range(DATASETS):
                chance = random.Random(f"{model} {number}")
                daily = number == DATASETS - 1
                fixtures = {name: Fixture(name, _rows(chance, table, daily)) for name, table in sorted(inputs.items())}
                found += [case.given(fixtures, f"{case.name} {number + 1}") for case in own]
    return found


def _inputs(connection: duckdb.DuckDBPyConnection, cases: list[Case]) -> dict[str, _Input]:
    found: dict[str, _Input] = {}
    for case in cases:
        for fixture in case.fixtures:
            cursor = connection.execute(fixture.sql)
            columns = tuple((column[0], str(column[1])) for column in cursor.description or ())
            rows = cursor.fetchall()
            table = found.setdefault(fixture.stands_for, _Input(columns, {name: [] for name, _ in columns}))
            for at, (name, _) in enumerate(columns):
                seen = table.seen.setdefault(name, [])
                seen.extend(dict.fromkeys(row[at] for row in rows if row[at] not in seen))
    return found


def _rows(chance: random.Random, table: _Input, daily: bool) -> str:
    """The generated rows as a query; `daily`: one for each day of half a year, so that months are complete."""
    columns = []
    for name, kind in table.columns:
        if daily and kind == "DATE":
            values: list[Any] = [FIRST + timedelta(days=row) for row in range(DAYS)]
        elif daily and kind.startswith("TIMESTAMP"):
            noon = datetime.fromisoformat(f"{FIRST} 12:00:00")
            values = [noon + timedelta(days=row, seconds=chance.randrange(-40000, 40000)) for row in range(DAYS)]
        else:
            values = [_value(chance, name, kind, table.seen[name], row) for row in range(DAYS if daily else ROWS)]
        if name in ORDERING:
            chance.shuffle(values)
        columns.append(values)
    lines = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in zip(*columns, strict=True))
    listed = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in table.columns)
    names = ", ".join(f'"{name}"' for name, _ in table.columns)
    return f"select {listed} from (values {lines}) as generated ({names})"


def _value(chance: random.Random, name: str, kind: str, seen: list[Any], row: int) -> Any:
    known = [value for value in seen if value is not None]
    if name in ORDERING:
        return row + 1
    if chance.random() < (0.15 if None in seen or not seen else 0.04):
        return None
    if kind == "BOOLEAN":
        return chance.random() < 0.5
    if kind.startswith(("DECIMAL", "DOUBLE", "FLOAT")):
        base = float(chance.choice(known)) if known else 1.0
        return Decimal(str(round(base * chance.choice([1, 1, 0, -1, 0.5, 2]) + chance.choice([0, 0, 1, 0.25, -3]), 4)))
    if kind.endswith(("INTEGER", "BIGINT", "SMALLINT", "HUGEINT", "TINYINT")):
        base = int(chance.choice(known)) if known else 1
        return base + chance.choice([0, 0, 0, 1, -1, 2, 5])
    if kind == "DATE":
        base_day = chance.choice(known) if known else date(2026, 1, 5)
        return base_day + timedelta(days=chance.choice([0, 0, 0, 1, -1, 2, 7, -7, 30]))
    if kind.startswith("TIMESTAMP"):
        moment = chance.choice(known) if known else datetime.fromisoformat("2026-01-05 12:00:00")
        return moment + timedelta(seconds=chance.choice([0, 0, 1, -1, 3600, -3600, 86400, -86400 * 8, 60 * row]))
    return chance.choice(known) if known else chance.choice(["x", "y", "z"])


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def text(case: Case, rows: Iterable[tuple[Any, ...]], columns: Iterable[str]) -> str:
    """An answer: its first lines, for a person to read and compare, and a digest of all of them."""
    lines = sorted(" | ".join("∅" if value is None else str(value) for value in row) for row in rows)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    return "\n".join([f"## {case.name}", "", " | ".join(columns), *lines[:SHOWN], f"{len(lines)} rows, {digest}", ""])


def answer(connection: duckdb.DuckDBPyConnection, case: Case) -> str:
    """What the model answers now."""
    from tests.mutation.score import plain

    try:
        case.prepare(connection)
        cursor = connection.execute(case.sql)
    except duckdb.Error as error:
        return f"## {case.name}\n\ncannot be answered: {type(error).__name__}\n"
    columns = [str(column[0]) for column in cursor.description or ()]
    return text(case, [tuple(plain(value) for value in row) for row in cursor.fetchall()], columns)


def written(cases: Iterable[Case], warehouse: Path) -> dict[str, str]:
    """Model → the text of its file."""
    found: dict[str, list[str]] = {}
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 1}) as connection:
        for case in cases:
            found.setdefault(case.model, []).append(answer(connection, case))
    return {model: "\n".join(parts) for model, parts in found.items()}
