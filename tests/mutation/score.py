"""Which edits of the models are noticed by their unit tests.

A mutant is killed where a unit test gives another result than the model as it is. A mutant that no longer runs proves
nothing and is not counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import sqlglot
from sqlglot import exp

from tests.mutation.cases import Case
from tests.mutation.edits import Edit, edits

Verdict = Literal["killed", "survived", "invalid"]
Key = tuple[str, str, str, str, int]


@dataclass
class Mutant:
    """One edit of one model, wherever a unit test of the model holds it."""

    model: str
    kind: str
    place: str
    text: str
    number: int
    """Which of several equal edits in the same place."""
    where: list[tuple[Case, exp.Expr, Edit]] = field(default_factory=list)
    verdict: Verdict = "survived"
    killed_by: str = ""

    def __str__(self) -> str:
        again = f" (place {self.number + 1})" if self.number else ""
        return f"{self.model}, {self.place}: {self.text}{again}"


def mutants(cases: Iterable[Case]) -> list[Mutant]:
    """Every mutant of the models that the cases test, in a fixed order."""
    found: dict[Key, Mutant] = {}
    for case in cases:
        query = sqlglot.parse_one(case.sql, read="duckdb")
        seen: Counter[tuple[str, str, str]] = Counter()
        for edit in edits(query):
            name = (edit.kind, edit.place, _without_values(edit.text))
            key = (case.model, *name, seen[name])
            seen[name] += 1
            mutant = found.setdefault(key, Mutant(case.model, edit.kind, edit.place, edit.text, key[-1]))
            mutant.where.append((case, query, edit))
    return list(found.values())


def _without_values(text: str) -> str:
    """The text with its literals left out: the clock and the variables differ from one unit test to the next."""
    return re.sub(r"'[^']*'|\b\d+(\.\d+)?\b", "?", text)


def judge(chosen: Sequence[Mutant], warehouse: Path) -> None:
    """Fill in the verdict of each mutant. `warehouse`: that of the home in which the cases were compiled; some models
    read its journal."""
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 1}) as connection:
        expected: dict[tuple[str, str], Any] = {}
        for mutant in chosen:
            broken = False
            for case, query, edit in mutant.where:
                name = (case.model, case.name)
                if name not in expected:
                    expected[name] = _known(connection, case)
                if expected[name] is None:
                    continue
                try:
                    actual = rows(connection, case, edit.applied(query).sql(dialect="duckdb"))
                except (duckdb.Error, sqlglot.errors.SqlglotError):
                    broken = True
                    continue
                if actual != expected[name]:
                    mutant.verdict, mutant.killed_by = "killed", case.name
                    break
            if mutant.verdict != "killed" and broken:
                mutant.verdict = "invalid"


def _known(connection: duckdb.DuckDBPyConnection, case: Case) -> Counter[tuple[Any, ...]] | None:
    """What the model answers; None where it cannot, on rows that were generated."""
    try:
        case.prepare(connection)
        return rows(connection, case, case.sql)
    except duckdb.Error:
        return None


def rows(connection: duckdb.DuckDBPyConnection, case: Case, sql: str) -> Counter[tuple[Any, ...]]:
    """What the query gives, in the columns that the unit test looks at; the order of the rows does not count."""
    columns = ", ".join(f'"{column}"' for column in case.columns) or "*"
    found = connection.execute(f"select {columns} from ({sql}) as tested").fetchall()
    return Counter(tuple(plain(value) for value in row) for row in found)


def plain(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if value != value else float(f"{value:.9g}")
    if isinstance(value, list | dict):
        return repr(value)
    return value
