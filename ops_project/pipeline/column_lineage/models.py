"""The columns of the dbt models, from their compiled SQL."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ops_project.column_lineage import ROWS, Column, Origin
from ops_project.pipeline.column_lineage.relations import Relation, Traced
from ops_project.pipeline.column_lineage.sources import Tables
from ops_project.pipeline.column_lineage.trace import trace

logger = logging.getLogger(__name__)
CONSTANT = "it comes from no column: it is a constant, the clock, or made by the engine"


def of_models(manifest: Mapping[str, Any], compiled: Mapping[str, str], known: Tables) -> dict[Column, Origin]:
    """Column → its origin, for every model. If the SQL of a model cannot be read, each column that the model declares
    has an unknown origin.

    `known`: the columns of the tables that are not models.
    """
    tables = dict(known)
    found: dict[Column, Origin] = {}
    for node in _in_order(manifest):
        schema, table = node["schema"], node.get("alias") or node["name"]
        asset = f"{schema}/{table}"
        relation = _relation(node, compiled.get(node["unique_id"]), tables)
        for name, traced in relation.columns.items():
            found[Column(asset, name)] = _origin(traced)
        for name in (column.lower() for column in node["columns"]):
            if name not in relation.columns:
                why = relation.why or "the compiled SQL makes no column of this name"
                found[Column(asset, name)] = Origin("unknown", reason=why)
        found[Column(asset, ROWS)] = _origin(relation.rows)
        if relation.columns and not relation.open:
            tables[f"{schema}.{table}"] = tuple(relation.columns)
    return found


def _relation(node: Mapping[str, Any], sql: str | None, tables: Tables) -> Relation:
    if sql is None:
        is_sql = node.get("language") == "sql"
        return Relation({}, why="dbt compiled no SQL for it" if is_sql else "it is not a SQL model")
    try:
        relation = trace(sql, tables)
    except (ValueError, RecursionError) as error:
        logger.info("no column lineage for %s: %s", node["unique_id"], error)
        return Relation({}, Traced(unknown=str(error)), why=f"its SQL cannot be read: {error}")
    if relation.open and not relation.why:
        stars = ", ".join(sorted(star.base for star in relation.stars if star.base)) or "a table"
        return Relation(relation.columns, relation.rows, why=f"it selects * from {stars}, whose columns are not known")
    return relation


def _origin(traced: Traced) -> Origin:
    values, conditions = tuple(sorted(traced.values)), tuple(sorted(traced.conditions - traced.values))
    if traced.unknown:
        return Origin("unknown", values, conditions, traced.unknown)
    if values or conditions:
        return Origin("proven", values, conditions, "compiled SQL")
    return Origin("absent", reason=CONSTANT)


def _in_order(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The models in an order in which each model comes after the models that it reads."""
    models = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    graph = {
        name: [parent for parent in node["depends_on"]["nodes"] if parent in models] for name, node in models.items()
    }
    try:
        ordered = list(TopologicalSorter(graph).static_order())
    except CycleError:  # dbt itself refuses such a model, and says where the mistake is.
        ordered = list(models)
    return (models[name] for name in ordered)
