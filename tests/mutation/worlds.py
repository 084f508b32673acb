"""What a wrong model does to the figures of gold: the models of a domain over a random history, one after the other.

A world holds the tables that a home had after a history was played, in memory, and the query of each model as dbt built
it from nothing. A mutant replaces one query; what depends on its table is computed again, as far as anything changes,
and the tables of gold are held against the second computation from the archived files (tests/numbers/oracle).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Model:
    """A model in a world. `relation`: schema and name; `query`: parsed; `after`: the models that read it."""

    name: str
    relation: str
    sql: str
    query: exp.Expr
    after: tuple[str, ...]


class World:
    """One domain after one history."""

    def __init__(self, name: str, warehouse: Path, models: Iterable[Model], figures: Mapping[str, Table]) -> None:
        self.name = name
        self.models = {model.name: model for model in models}
        """In the order in which they are built."""
        self.figures = figures
        # The queries name the database by its file.
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

    def notices(self, model: str, sql: str) -> bool | None:
        """Whether gold is wrong where the model has this query; None where the query does not run."""
        self.connection.begin()
        try:
            return self._notices(self.models[model], sql)
        finally:
            self.connection.rollback()

    def _notices(self, model: Model, sql: str) -> bool | None:
        try:
            changed = self._replaced(model, sql)
        except duckdb.Error:
            return None
        if not changed:
            return False
        stale = set(model.after)
        suspects = [model]
        for other in self.models.values():
            if other.name in stale:
                try:
                    changed = self._replaced(other, other.sql)
                except duckdb.Error:
                    return True
                if changed:
                    stale |= set(other.after)
                    suspects.append(other)
        names = {suspect.relation.removeprefix("gold.") for suspect in suspects}
        return bool(self.wrong({name: table for name, table in self.figures.items() if name in names}))

    def _replaced(self, model: Model, sql: str) -> bool:
        """Give the model's table what the query gives; False where it holds that already."""
        self.connection.execute(f"create or replace temp table candidate as {sql}")
        found = self.connection.execute(
            f"select 1 from ((from candidate except all from {model.relation})"
            f" union all (from {model.relation} except all from candidate)) limit 1"
        ).fetchall()
        if found:
            self.connection.execute(f"create or replace table {model.relation} as from candidate")
        return bool(found)

    def wrong(self, figures: Mapping[str, Table]) -> list[str]:
        """What gold says otherwise than the files."""
        return [words for name, table in figures.items() for words in differences(self.connection, name, table)]


def world(domain: str, seed: int, folder: Path) -> World:
    """Everything that a history of the domain delivers, landed, and built once from nothing."""
    site = Site(folder / f"{domain}-{seed}", domain, may_reject=True)
    source = HISTORIES[domain](seed, runs=1)
    for run in source.history().runs:
        for delivery in run:
            site.put(delivery.feed, delivery.day, delivery.rows, part=delivery.part)
            if [other for other in run if other.place == delivery.place][-1] is not delivery:
                site.land()
    site.land()
    clock = f'{{"as_of": "{site.clock.isoformat()}"}}'
    results = cases.dbt(site.settings, "run", "--vars", clock, "--select", f"tag:{domain}")
    failed = [f"{item.node.name}: {item.message}" for item in results if str(item.status) != "success"]
    if failed:
        raise cases.NotGreen("\n".join(failed))
    oracle = Oracle(site)
    oracle.after_run()
    return World(f"{domain}, seed {seed}", site.settings.warehouse, _models(results), oracle.tables())


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
            sqlglot.parse_one(nodes[identity].compiled_code, read="duckdb"),
            tuple(nodes[child].name for child in children[identity] if child in nodes),
        )
        for identity in order
    ]


def models_of(domain: str) -> set[str]:
    """The names of the models of a domain."""
    nodes = dbt_manifest.load().json["nodes"].values()
    return {node["name"] for node in nodes if node["resource_type"] == "model" and domain in node["tags"]}
