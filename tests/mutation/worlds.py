"""What a wrong model does to the figures of gold: the models of a domain over random histories, one after the other.
A world holds the tables of a home after a history was landed, in memory, and the query with which dbt builds each
model from nothing. A mutant replaces one query. The tables that depend on it are computed again, as far as anything
changes. Then the data tests of the changed tables run, and the tables of gold are compared with the second
computation from the archived files (tests/numbers/oracle).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from tests.mutation import cases
from tests.numbers.oracle.compare import Table, differences
from tests.numbers.oracle.figures import Oracle
from tests.numbers.played import HISTORIES
from tests.numbers.site import Site

# The clock of every build; the queries contain it. At this time UTC and New York have different days.
CLOCK = datetime(2026, 6, 2, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Play:
    """A history to be played. `days`: the number of days up to `last`; `missing`: the share of files that never
    come.
    """

    seed: int
    days: int = 7
    last: date = date(2026, 5, 3)
    missing: float = 0.1
    without: str = ""
    """A feed that never delivers."""

    @property
    def dates(self) -> list[date]:
        return [self.last - timedelta(days=number) for number in reversed(range(self.days))]


WEEKS = tuple(Play(seed) for seed in range(1, 5))
# The history is long enough for a complete month after another one, and for levels of weekdays. Some feeds never
# deliver.
PLAYS: dict[str, tuple[Play, ...]] = {
    "ecommerce": (*WEEKS, Play(21, 70, missing=0.0), Play(22, 40, missing=0.02), Play(34, without="web_events")),
    "insurance": (*WEEKS, Play(21, 30), Play(22, 30, missing=0.4)),
    "investor": (
        *WEEKS,
        Play(21, 95, missing=0.0),
        Play(22, 40, missing=0.01),
        Play(31, without="transactions"),
        Play(32, without="marketing_spend"),
        Play(33, without="product_events"),
    ),
    "marketing": WEEKS,
    "streaming": WEEKS,
}


@dataclass(frozen=True)
class Model:
    """A model in a world. `relation`: schema and name; `query`: parsed; `after`: the models that read it."""

    name: str
    relation: str
    sql: str
    query: exp.Expr
    after: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """A data test whose failure stops gold. `about`: the models that it reads. Its query gives the rows that are
    wrong.
    """

    name: str
    about: frozenset[str]
    sql: str


@dataclass(frozen=True)
class Build:
    """The build of a domain from nothing by dbt. It is the same in every world of the domain."""

    models: Mapping[str, Model]
    """In the order in which they are built."""
    checks: tuple[Check, ...]


class World:
    """One domain after one history."""

    def __init__(self, name: str, warehouse: Path, build: Build, figures: Mapping[str, Table]) -> None:
        self.name = name
        self.models = build.models
        self.figures = figures
        # The queries name the database after its file.
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute(f"attach '{warehouse}' as played (read_only)")
        self.connection.execute(f"attach ':memory:' as {warehouse.stem}")
        for schema in ("bronze", "ops", "silver", "gold"):
            self.connection.execute(f"create schema {warehouse.stem}.{schema}")
        tables = self.connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'played' and not internal"
        ).fetchall()
        for schema, table in tables:
            if schema in ("bronze", "ops"):
                name = f"{schema}.{table}"
                self.connection.execute(f"create table {warehouse.stem}.{name} as select * from played.{name}")
        self.connection.execute("detach played")
        self.connection.execute(f"use {warehouse.stem}")
        for model in self.models.values():
            self.connection.execute(f"create table {model.relation} as {model.sql}")
        wrong = self.wrong(self.figures)
        if wrong:
            raise cases.NotGreen(f"{self.name}: the models and the second computation differ: {wrong[:5]}")
        # A history may break a rule by intention, such as an order in a currency without a rate.
        self.checks = [check for check in build.checks if not self._fails(check)]

    def notices(self, model: str, sql: str) -> str | None:
        """The first thing that notices that the model has this query: a build that fails, a data test, or the figures
        of a table; None if nothing notices it. Raises duckdb.Error if it is not a query.
        """
        self.connection.begin()
        try:
            return self._notices(self.models[model], sql)
        finally:
            self.connection.rollback()

    def _notices(self, model: Model, sql: str) -> str | None:
        self.connection.execute(f"explain {sql}")
        changed: list[Model] = []
        for other in self.models.values():
            if other is model or any(other.name in suspect.after for suspect in changed):
                try:
                    if self._replaced(other, sql if other is model else other.sql):
                        changed.append(other)
                except duckdb.Error as error:
                    return f"{other.name} fails: {error}"
        names = {suspect.name for suspect in changed}
        for check in self.checks:
            if check.about & names and self._fails(check):
                return check.name
        wrong = self.wrong({name: table for name, table in self.figures.items() if name in names})
        return wrong[0] if wrong else None

    def _fails(self, check: Check) -> bool:
        try:
            return bool(self.connection.execute(f"select 1 from ({check.sql}) as failing limit 1").fetchall())
        except duckdb.Error:
            return True

    def _replaced(self, model: Model, sql: str) -> bool:
        """Replace the content of the model's table by the result of the query. Returns False if the content was the
        same.
        """
        self.connection.execute(f"create or replace temp table candidate as {sql}")
        found = self.connection.execute(
            f"select 1 from ((from candidate except all from {model.relation})"
            f" union all (from {model.relation} except all from candidate)) limit 1"
        ).fetchall()
        if found:
            self.connection.execute(f"create or replace table {model.relation} as from candidate")
        return bool(found)

    def wrong(self, figures: Mapping[str, Table]) -> list[str]:
        """The differences between the tables and the files."""
        return [words for name, table in figures.items() for words in differences(self.connection, name, table)]


@dataclass(frozen=True)
class Domain:
    """Random histories of a domain, landed and not yet built."""

    sites: Mapping[Play, Site]
    build: Build

    def worlds(self) -> Iterator[World]:
        """The worlds one after the other, because each holds its tables in memory."""
        for play, site in self.sites.items():
            oracle = Oracle(site)
            oracle.after_run()
            yield World(f"{site.domain}, history {play.seed}", site.settings.warehouse, self.build, oracle.tables())


def domain(name: str, folder: Path) -> Domain:
    """Everything that each history delivers, and the queries of a build from nothing.

    Raises NotGreen if a model does not run, or where a data test cannot be read.
    """
    plays = PLAYS[name]
    sites = {play: landed(name, play, folder / str(play.seed)) for play in plays}
    return Domain(sites, build_of(landed(name, plays[0], folder / "built")))


def landed(name: str, play: Play, folder: Path) -> Site:
    site = Site(folder, name, may_reject=True)
    source = HISTORIES[name](play.seed, runs=1, days=play.dates, missing=play.missing)
    for run in source.history().runs:
        for delivery in [delivery for delivery in run if delivery.feed != play.without]:
            site.put(delivery.feed, delivery.day, delivery.rows, part=delivery.part)
            if [other for other in run if other.place == delivery.place][-1] is not delivery:
                site.land()
    site.land()
    site.clock = CLOCK
    return site


def build_of(site: Site) -> Build:
    words = ("--vars", f'{{"as_of": "{CLOCK.isoformat()}", "test_scope": "all"}}', "--select", f"tag:{site.domain}")
    results = cases.dbt(site.settings, "run", *words)
    failed = [f"{item.node.name}: {item.message}" for item in results if str(item.status) != "success"]
    if failed:
        raise cases.NotGreen("\n".join(failed))
    models = {model.name: model for model in _models(results)}
    checks = []
    for item in cases.dbt(site.settings, "test", *words, "--exclude", "test_type:unit"):
        if str(item.node.config.severity).lower() == "error":
            if not item.node.compiled_code:
                raise cases.NotGreen(f"{item.node.name}: {item.message}")
            about = {identity.rsplit(".", 1)[-1] for identity in item.node.depends_on.nodes}
            checks.append(Check(item.node.name, frozenset(about & set(models)), item.node.compiled_code))
    return Build(models, tuple(checks))


def parsed(sql: str) -> exp.Expr:
    """The query in the form of the unit tests' queries: written once by sqlglot, which changes the form of joins."""
    return sqlglot.parse_one(sqlglot.parse_one(sql, read="duckdb").sql(dialect="duckdb"), read="duckdb")


def _models(results: list[Any]) -> list[Model]:
    nodes = {item.node.unique_id: item.node for item in results}
    children = dbt_manifest.load().json["child_map"]
    order: dict[str, None] = {}

    def visit(identity: str) -> None:
        for parent in nodes[identity].depends_on.nodes:
            if parent in nodes and parent not in order:
                visit(parent)
        order[identity] = None

    for identity in nodes:
        if identity not in order:
            visit(identity)
    return [
        Model(
            nodes[identity].name,
            f"{nodes[identity].schema}.{nodes[identity].name}",
            nodes[identity].compiled_code,
            parsed(nodes[identity].compiled_code),
            tuple(nodes[child].name for child in children[identity] if child in nodes),
        )
        for identity in order
    ]
