"""Decides which tables are built from nothing: the tables that a user names, the tables that depend on them, and tables
that got new columns. The module is pure: it only reads the parsed manifest and dbt's result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from ops_project.pipeline.dbt_engine.runner import DbtResult

# The dbt macro `refused` writes this text into its error.
HAS_GROWN = " has grown ("


class RebuildError(ValueError):
    """A table cannot be rebuilt. The message says why, and which tables can be rebuilt."""


def model_of(manifest: Mapping[str, Any], table: str) -> dict[str, Any]:
    """The model that builds `table`. Raises RebuildError.

    `table`: written `fact_orders` or `silver.fact_orders`.
    """
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    schema, _, name = table.rpartition(".")
    found = models.get(name)
    if found is None or (schema and found["schema"] != schema):
        close = get_close_matches(name, models, n=3, cutoff=0.5)
        meant = [f"{models[item]['schema']}.{item}" for item in close]
        raise RebuildError(
            f"no model builds a table {table!r}"
            + (f"; did you mean {', '.join(meant)}?" if meant else "")
            + ("; landed tables are read again with `ops feed replay`" if schema == "bronze" else "")
        )
    if found["config"].get("full_refresh") is False:
        raise RebuildError(
            f"{found['schema']}.{name} holds what cannot be computed again, so it is never built anew; "
            "name only tables that depend on it"
        )
    return dict(found)


def with_downstream(manifest: Mapping[str, Any], tables: Iterable[str]) -> list[str]:
    """Names of the models to build from nothing: those of `tables`, and all models that depend on them. Models whose
    rows cannot be computed again are left out.
    """
    waiting = [model_of(manifest, table)["unique_id"] for table in tables]
    seen: set[str] = set()
    while waiting:
        unique_id = waiting.pop()
        if unique_id not in seen and unique_id.startswith("model."):
            seen.add(unique_id)
            waiting += manifest["child_map"].get(unique_id, [])
    return sorted(
        node["name"]
        for unique_id in seen
        if (node := manifest["nodes"][unique_id])["config"].get("full_refresh") is not False
    )


def grown(result: DbtResult) -> list[str]:
    """The models that failed because their SQL gives columns that their table lacks. Empty if any error had another
    cause.
    """
    if result.exception is not None or not all(HAS_GROWN in error for error in result.errors):
        return []
    return [error.partition(":")[0] for error in result.errors]
