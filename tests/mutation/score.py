"""Which edits of the models are noticed: by their unit tests, or by the figures of gold after a random history. A
mutant is killed if a unit test gives another result than the unchanged model, or if gold differs from the archived
files. A mutant that no longer runs proves nothing and is not counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import sqlglot
from sqlglot import exp

from tests.mutation.cases import Case
from tests.mutation.edits import Edit, edits
from tests.mutation.generated import DRIFT, SAME_MACRO, in_the_file, is_generated, macro_edit
from tests.mutation.worlds import Domain, Model, World

# Such an edit cannot stay unnoticed, because the text is no longer a query. A query that fails only on the rows of a
# unit test makes that test fail.
NO_QUERY = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
    sqlglot.errors.SqlglotError,
)
Verdict = Literal["killed", "survived", "invalid"]
Key = tuple[str, str, str, int]


@dataclass
class Mutant:
    """One edit of one model. `where`: every unit test whose query contains the edited place."""

    model: str
    kind: str
    place: str
    text: str
    number: int
    """Which of several equal edits in the same place."""
    where: list[tuple[Case, exp.Expr, Edit]] = field(default_factory=list)
    built: Edit | None = None
    """The same edit of the query that builds the model from nothing; None if that query does not have the place."""
    verdict: Verdict = "invalid"
    """`invalid` until the query has run somewhere."""
    killed_by: str = ""

    def __str__(self) -> str:
        return f"{self.model}, {self.place}: {self.text}"

    @property
    def key(self) -> Key:
        return (self.kind, self.place, _without_values(self.text), self.number)


def mutants(cases: Iterable[Case], models: Iterable[Model] = ()) -> list[Mutant]:
    """Every mutant of the models that the cases test and of `models`, in a fixed order."""
    found: dict[tuple[str, Key], Mutant] = {}
    for case in cases:
        query = sqlglot.parse_one(case.sql, read="duckdb")
        for key, edit in by_key(query).items():
            mutant = found.setdefault((case.model, key), Mutant(case.model, edit.kind, edit.place, edit.text, key[-1]))
            mutant.where.append((case, query, edit))
    for model in models:
        for key, edit in by_key(model.query).items():
            mutant = found.setdefault((model.name, key), Mutant(model.name, edit.kind, edit.place, edit.text, key[-1]))
            mutant.built = edit
    return list(found.values())


def by_key(query: exp.Expr) -> dict[Key, Edit]:
    """The edits of a query, by a key that is the same when dbt compiles the model for another purpose."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found: dict[Key, Edit] = {}
    for edit in edits(query):
        name = (edit.kind, edit.place, _without_values(edit.text))
        found[*name, seen[name]] = edit
        seen[name] += 1
    return found


def _without_values(text: str) -> str:
    """The text with its literals left out: the clock and the variables differ from one unit test to the next."""
    return re.sub(r"'[^']*'|-?\b\d+(\.\d+)?\b", "?", text)


def judge(
    chosen: Sequence[Mutant], warehouse: Path, domain: Domain | None = None, others: Sequence[Mutant] = ()
) -> None:
    """Set the verdict of each mutant: by the unit tests, and for the survivors by the worlds of the domain.
    `warehouse`: that of the home in which the cases were compiled; some models read its journal. `others`: mutants that
    are judged only if they are the same edit of a macro as a survivor.
    """
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 1}) as connection:
        expected: dict[tuple[str, str], Any] = {}
        for mutant in chosen:
            _by_unit_tests(connection, mutant, expected)
    if domain is not None:
        left = [mutant for mutant in chosen if mutant.verdict != "killed"]
        for world in domain.worlds() if left else ():
            _by_world(world, [mutant for mutant in left if mutant.verdict != "killed"])
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 1}) as connection:
        # The rows of the unit tests are temporary tables of this connection.
        expected = {}
        for mutant in chosen:
            if mutant.verdict == "survived" and is_generated(mutant.model):
                _by_its_generator(connection, mutant, [*chosen, *others], expected)


def _by_its_generator(
    connection: duckdb.DuckDBPyConnection,
    mutant: Mutant,
    others: Sequence[Mutant],
    expected: dict[tuple[str, str], Any],
) -> None:
    """Whether the edit is noticed in another way: either in a generated file, which is compared with what the generator
    writes; or in a macro, because another model with that macro notices it.
    """
    if (mutant.kind, mutant.place, mutant.text) in in_the_file(mutant.model):
        mutant.verdict, mutant.killed_by = "killed", DRIFT
        return
    wanted = macro_edit(mutant.model, mutant.kind, mutant.place, mutant.text)
    for other in others if wanted is not None else ():
        if macro_edit(other.model, other.kind, other.place, other.text) == wanted and other.where:
            twin = replace(other, verdict="invalid", killed_by="")
            _by_unit_tests(connection, twin, expected)
            if twin.verdict == "killed":
                mutant.verdict, mutant.killed_by = (
                    "killed",
                    f"{twin.killed_by}, of {twin.model}{SAME_MACRO}",
                )
                return


def _by_unit_tests(connection: duckdb.DuckDBPyConnection, mutant: Mutant, expected: dict[tuple[str, str], Any]) -> None:
    ran = False
    for case, query, edit in mutant.where:
        name = (case.model, case.name)
        if name not in expected:
            expected[name] = _known(connection, case)
        if expected[name] is None:
            continue
        try:
            actual = rows(connection, case, edit.applied(query).sql(dialect="duckdb"))
        except NO_QUERY:
            continue
        except duckdb.Error:
            actual = None
        ran = True
        if actual != expected[name]:
            mutant.verdict, mutant.killed_by = "killed", case.name
            return
    if ran:
        mutant.verdict = "survived"


def _by_world(world: World, left: Sequence[Mutant]) -> None:
    for mutant in left:
        if mutant.built is None:
            continue
        try:
            sql = mutant.built.applied(world.models[mutant.model].query).sql(dialect="duckdb")
            noticed = world.notices(mutant.model, sql)
        except NO_QUERY:
            continue
        mutant.verdict = "killed" if noticed else "survived"
        mutant.killed_by = f"{world.name}: {noticed}" if noticed else ""


def _known(connection: duckdb.DuckDBPyConnection, case: Case) -> Counter[tuple[Any, ...]] | None:
    """The model's answer; None if it fails on generated rows."""
    try:
        case.prepare(connection)
        return rows(connection, case, case.sql)
    except duckdb.Error:
        return None


def rows(connection: duckdb.DuckDBPyConnection, case: Case, sql: str) -> Counter[tuple[Any, ...]]:
    """The query's rows in the columns that the unit test looks at; the order of the rows does not count."""
    columns = ", ".join(f'"{column}"' for column in case.columns) or "*"
    found = connection.execute(f"select {columns} from ({sql}) as tested").fetchall()
    return Counter(tuple(plain(value) for value in row) for row in found)


def plain(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if value != value else float(f"{value:.9g}")
    if isinstance(value, list | dict):
        return repr(value)
    return value
