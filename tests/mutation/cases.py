"""The unit tests of the models as dbt compiles them: each is one query, which includes the rows that the test is given.

A query holds the whole model with its macros expanded, so that an edit of it is an edit of the model. It runs without
dbt: a mutant costs milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from ops_project import catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import shortcuts
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import DBT_PROJECT_DIR, Settings
from tests import quick_ctes
from tests.mutation.edits import FIXTURE


@dataclass(frozen=True)
class Fixture:
    """A table that a unit test is given: its name in the query, and a query that gives its rows."""

    stands_for: str
    sql: str

    @property
    def table(self) -> str:
        """The temporary table that holds the rows."""
        return "fixture_" + hashlib.sha256(self.sql.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Case:
    """One unit test: the model, its query over temporary tables with the given rows, and the columns that the test looks
    at (empty: all of them)."""

    model: str
    name: str
    sql: str
    columns: tuple[str, ...]
    fixtures: tuple[Fixture, ...]

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the temporary tables."""
        for fixture in self.fixtures:
            connection.execute(f"create temp table if not exists {fixture.table} as {fixture.sql}")

    def given(self, fixtures: dict[str, Fixture], name: str) -> Case:
        """A new case: the query of this case over the rows of `fixtures`. The new case looks at all columns."""
        query = sqlglot.parse_one(self.sql, read="duckdb")
        mine = []
        for cte in fixture_tables(query):
            fixture = fixtures[cte.alias]
            cte.set("this", sqlglot.parse_one(f"select * from {fixture.table}", read="duckdb"))
            mine.append(fixture)
        return Case(self.model, name, query.sql(dialect="duckdb"), (), tuple(mine))


def fixture_tables(query: exp.Expr) -> list[exp.CTE]:
    """The common table expressions that hold what a unit test is given."""
    return [cte for cte in query.find_all(exp.CTE) if cte.alias.startswith(FIXTURE)]


class NotGreen(RuntimeError):
    """A unit test fails on the unchanged models, so its mutants cannot be judged."""


def empty_home(home: Path, *models: str) -> Settings:
    """A home with empty tables, because dbt reads the types of its inputs there: the tables of every domain, or only
    those from which the named models are made.
    """
    settings = Settings.load(home=home, environ={})
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        ensure_tables(connection, list(catalog.load(settings).feeds.values()))
    result = dbt(settings, "run", *(["--select", *(f"+{model}" for model in models)] if models else []))
    failed = [f"{item.node.name}: {item.message}" for item in result if str(item.status) != "success"]
    if failed:
        raise NotGreen("\n".join(failed))
    return settings


def empty_home_without_dbt(home: Path) -> Settings:
    """The home that `empty_home` makes of all models, made in a tenth of the time: each table is made by the SQL that
    the parsed project holds for an empty database, with the columns that its contract requires. A soak test compares
    the two.
    """
    settings = Settings.load(home=home, environ={})
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    manifest = dbt_manifest.load()
    models = {name: node for name, node in manifest.json["nodes"].items() if node["resource_type"] == "model"}
    with duckdb.connect(str(settings.warehouse)) as connection:
        ensure_tables(connection, list(catalog.load(settings).feeds.values()))
        order = TopologicalSorter({name: node["depends_on"]["nodes"] for name, node in models.items()})
        for name in order.static_order():
            if name in models:
                _create(connection, models[name], manifest.compiled[name])
    return settings


def _create(connection: duckdb.DuckDBPyConnection, node: dict[str, Any], sql: str) -> None:
    kind = "view" if node["config"]["materialized"] == "view" else "table"
    table = f"{node['schema']}.{node['alias']}"
    connection.execute(f"create schema if not exists {node['schema']}")
    connection.execute(f"create {kind} {table} as {sql}")
    if kind == "table" and node["config"]["contract"]["enforced"]:
        for column in node["columns"].values():
            if any(constraint["type"] == "not_null" for constraint in column["constraints"]):
                connection.execute(f"alter table {table} alter column {column['name']} set not null")


def compiled(settings: Settings, *select: str) -> list[Case]:
    """The cases of the models that `select` names (default: of all). Raises NotGreen if one of them fails."""
    words = [f"{item},test_type:unit" for item in select] or ["test_type:unit"]
    # If a unit test does not set the clock, a fixed clock is used, so that the answers are the same tomorrow.
    clock = json.dumps({"as_of": "2026-03-10T07:00:00"})
    result = dbt(settings, "test", "--vars", clock, "--select", *words)
    failed = [f"{item.node.name}: {item.message}" for item in result if str(item.status) != "pass"]
    if failed:
        raise NotGreen("\n".join(failed))
    cases = []
    for item in result:
        node: Any = item.node
        rows = node.config.expected_rows or []
        query = sqlglot.parse_one(node.compiled_code, read="duckdb")
        fixtures = {cte.alias: Fixture(cte.alias, cte.this.sql(dialect="duckdb")) for cte in fixture_tables(query)}
        model = node.tested_node_unique_id.rsplit(".", 1)[-1]
        case = Case(model, node.name, node.compiled_code, (), ()).given(fixtures, node.name)
        cases.append(replace(case, columns=tuple(str(column) for column in rows[0]) if rows else ()))
    return sorted(cases, key=lambda case: (case.model, case.name))


def dbt(settings: Settings, command: str, *words: str) -> list[Any]:
    """The results of a dbt command in this process, each with its node and the SQL that was compiled."""
    from dbt.cli.main import dbtRunner

    shortcuts.take()
    quick_ctes.take()
    folder, target = str(DBT_PROJECT_DIR), str(settings.home / "target")
    arguments = ["--log-level", "none", "--log-level-file", "none", "--no-print", command, "--project-dir", folder]
    arguments += ["--profiles-dir", folder, "--target-path", target, "--no-write-json", *words]
    with settings.exported():
        outcome: Any = dbtRunner(manifest=dbt_manifest.load().object()).invoke(arguments)
    if outcome.result is None:
        raise NotGreen(str(outcome.exception))
    return list(outcome.result.results)
