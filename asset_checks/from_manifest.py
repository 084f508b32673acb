"""Reads the table specs of dbt models from a parsed manifest. The dbt tests already state keys, required columns,
allowed values and references. The specs are made from these tests, so that each rule is written only once. dbt says
whether a rule holds; the checks measure the share of rows for which it holds, for the quality score.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from asset_checks.primitives.sql import identifier
from asset_checks.specs import Reference, TableSpec, always

Node = Mapping[str, Any]
Calendar = Callable[[Sequence[str]], Callable[[date], bool]]

MATERIALIZED = frozenset({"table", "incremental"})
NAMED = re.compile(r"(?:ref|source)\s*\(\s*['\"]([^'\"]+)['\"](?:\s*,\s*['\"]([^'\"]+)['\"])?")


def table_specs(
    manifest: Mapping[str, Any],
    select: Callable[[Node], bool],
    *,
    calendar: Calendar = lambda _feeds: always,
    expected: Callable[[Sequence[str]], bool] = lambda _feeds: True,
) -> list[TableSpec]:
    """The specs of the materialized models that `select` accepts, in the order of their names. `calendar` and
    `expected` are called with the feeds of a model, and give its `open_on` and `expected`.

    The `meta` of a model may contain these keys. `feeds`: by default all feeds upstream of the model. `date_column`: by
    default business_date, if the model grows by dates. `time_column`: by default the date column. `real_rows`: an SQL
    condition. `tier`, `runbook` and `sequence_column`: as in TableSpec.
    """
    nodes: Mapping[str, Node] = manifest["nodes"]
    tests: dict[str, list[Node]] = {}
    for node in nodes.values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            tests.setdefault(node["attached_node"], []).append(node)
    models = [
        node
        for node in nodes.values()
        if node["resource_type"] == "model" and node["config"]["materialized"] in MATERIALIZED and select(node)
    ]
    return [
        _spec(manifest, node, tests.get(node["unique_id"], []), calendar, expected)
        for node in sorted(models, key=lambda node: str(node["unique_id"]))
    ]


def _spec(
    manifest: Mapping[str, Any],
    node: Node,
    tests: Sequence[Node],
    calendar: Calendar,
    expected: Callable[[Sequence[str]], bool],
) -> TableSpec:
    meta = node["config"].get("meta") or node.get("meta") or {}
    feeds = tuple(meta.get("feeds") or feeds_above(manifest, str(node["unique_id"])))
    grows = node["config"].get("incremental_strategy") == "touched_dates"
    date_column = meta.get("date_column") or ("business_date" if grows else None)
    required: dict[str, None] = {}
    rules: dict[str, str] = {}
    references: list[Reference] = []
    key: tuple[str, ...] = ()
    for test in tests:
        metadata = test.get("test_metadata") or {}
        arguments = metadata.get("kwargs") or {}
        column = arguments.get("column_name")
        match metadata.get("name"):
            case "primary_key" | "unique_combination_of_columns":
                key = tuple(arguments.get("columns") or arguments.get("combination_of_columns") or ())
                required |= dict.fromkeys(key)
            case "required":
                required |= dict.fromkeys(arguments.get("columns") or ())
            case "unique" if not key and column:
                key = (column,)
            case "not_null" if column:
                required[column] = None
            case "accepted_values" if column:
                rules[f"{column} is allowed"] = _allowed(column, arguments)
            case "in_range" if column:
                rules[f"{column} in range"] = _in_range(column, arguments)
            case "holds" if arguments.get("condition"):
                rules[str(arguments["condition"])] = str(arguments["condition"])
            case "relationships" if column:
                references += _reference(manifest, node, test, column, arguments)
    columns: Mapping[str, Any] = node.get("columns") or {}
    for name, column in columns.items():
        if any(constraint.get("type") == "not_null" for constraint in column.get("constraints") or ()):
            required[name] = None
    return TableSpec(
        schema=node["schema"],
        table=node.get("alias") or node["name"],
        tier=int(meta.get("tier", 3)),
        runbook=meta.get("runbook"),
        feeds=feeds,
        key=key,
        required=tuple(required),
        valid_when=rules,
        references=tuple(references),
        date_column=date_column if grows else None,
        time_column=meta.get("time_column") or date_column,
        real_rows=meta.get("real_rows") or "true",
        open_on=calendar(feeds),
        expected=expected(feeds),
        sequence_column=meta.get("sequence_column"),
        personal=tuple(
            name
            for name, column in columns.items()
            if ((column.get("config") or {}).get("meta") or column.get("meta") or {}).get("personal_data")
        ),
    )


def feeds_above(manifest: Mapping[str, Any], unique_id: str) -> list[str]:
    """The feeds from whose bronze tables the model is built, directly or through other models."""
    seen: set[str] = set()
    waiting = [unique_id]
    while waiting:
        for parent in manifest["nodes"].get(waiting.pop(), {}).get("depends_on", {}).get("nodes", []):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    sources = [manifest["sources"][name] for name in seen if name in manifest["sources"]]
    return sorted(source["name"] for source in sources if source["schema"] == "bronze")


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _allowed(column: str, arguments: Mapping[str, Any]) -> str:
    values = ", ".join(
        _literal(value) if arguments.get("quote", True) else str(value) for value in arguments.get("values") or ["∅"]
    )
    return f"{identifier(column)} in ({values})"


def _in_range(column: str, arguments: Mapping[str, Any]) -> str:
    equal = "" if arguments.get("exclusive") else "="
    bounds = [("min", f">{equal}"), ("max", f"<{equal}")]
    given = [
        f"{identifier(column)} {sign} {arguments[name]}" for name, sign in bounds if arguments.get(name) is not None
    ]
    return " and ".join(given) or "true"


def _reference(
    manifest: Mapping[str, Any], node: Node, test: Node, column: str, arguments: Mapping[str, Any]
) -> list[Reference]:
    named = NAMED.search(str(arguments.get("to", "")))
    field = arguments.get("field")
    if named is None or not field:
        return []
    name = named.group(2) or named.group(1)
    for parent in (test.get("depends_on") or {}).get("nodes", []):
        found = manifest["nodes"].get(parent) or manifest["sources"].get(parent)
        if found is not None and found["name"] == name and parent != node["unique_id"]:
            table = found.get("alias") or found.get("identifier") or found["name"]
            return [Reference((column,), f"{found['schema']}.{table}", (str(field),))]
    return []
