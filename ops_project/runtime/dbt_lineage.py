"""Which column comes from which: read from the compiled SQL, once for each content of the dbt project.

dagster-dbt can do this in every run, at 2.4 s for 40 models; the answer changes only with the SQL.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger(__name__)

Lineage = dict[str, dict[str, list[tuple[str, str]]]]


def column_lineage(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> Lineage:
    """unique_id → column → sorted [(unique_id of a direct parent, column)]. SQL that cannot be read is left out."""
    from sqlglot.errors import SqlglotError

    known = {**manifest["sources"], **manifest["nodes"]}
    found: Lineage = {}
    for unique_id, sql in compiled.items():
        node = known.get(unique_id)
        if node is None or node["resource_type"] != "model":
            continue
        parents = {name: known[name] for name in node["depends_on"]["nodes"] if name in known}
        try:
            found[unique_id] = _columns_of(sql, parents, found)
        except (SqlglotError, RecursionError, ValueError, KeyError) as error:
            logger.info("no column lineage for %s: %s", unique_id, error)
    return found


def _columns_of(sql: str, parents: Mapping[str, Any], known: Lineage) -> dict[str, list[tuple[str, str]]]:
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    by_table = {(parent["schema"], parent.get("identifier") or parent.get("alias") or parent["name"]): name
                for name, parent in parents.items()}
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for (folder, table), name in by_table.items():
        columns = list(parents[name]["columns"]) or list(known.get(name, {}))
        if columns:
            schema.setdefault(folder, {})[table] = {column: "text" for column in columns}
    tree = parse_one(sql, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)
    tree = qualify(tree, dialect="duckdb", schema=schema, validate_qualify_columns=False, infer_schema=True)
    scope = build_scope(tree)
    result: dict[str, list[tuple[str, str]]] = {}
    for column in tree.named_selects:
        sources = set()
        for leaf in lineage(column, tree, dialect="duckdb", scope=scope, copy=False).walk():
            table = leaf.expression.find(exp.Table) if not leaf.downstream else None
            if table is not None and (table.db, table.name) in by_table:
                name = exp.to_column(leaf.name).name.lower()
                if name and name != "*":
                    sources.add((by_table[table.db, table.name], name))
        result[column.lower()] = sorted(sources)
    return result
