"""Finds the models of the dbt project that replace only the rows of touched dates. Each has a digest of its code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ops_project.pipeline.warehouse.touched import BuiltByDates

STRATEGY = "touched_dates"


def built_by_dates(manifest: Mapping[str, Any]) -> dict[str, BuiltByDates]:
    """`schema.table` → how the table is built, for each incremental model whose replaced dates are known. A model with
    `meta.rebuilt_too` is left out, because a macro computes its replaced dates while the model is built.
    """
    found = {}
    for node in manifest["nodes"].values():
        config = node.get("config", {})
        meta = config.get("meta") or node.get("meta") or {}
        if node["resource_type"] != "model" or config.get("materialized") != "incremental":
            continue
        if config.get("incremental_strategy") != STRATEGY or meta.get("rebuilt_too"):
            continue
        table = f"{node['schema']}.{node.get('alias') or node['name']}"
        found[table] = BuiltByDates(code_of(manifest, node), int(meta.get("spread_days") or 0))
    return found


def code_of(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """Digest of a model's SQL, its settings and the macros that it calls. Parents that are views or ephemeral models
    are included, because a change of their SQL changes the rows of the model.
    """
    digest = blake2b(digest_size=8)
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if item["unique_id"] in seen:
            continue
        seen.add(item["unique_id"])
        digest.update(f"\0{item['unique_id']}\0{item.get('raw_code') or item.get('macro_sql') or ''}".encode())
        depends = item.get("depends_on", {})
        waiting += [
            manifest["macros"][name] for name in sorted(depends.get("macros", ())) if name in manifest["macros"]
        ]
        for name in sorted(depends.get("nodes", ())):
            parent = manifest["nodes"].get(name)
            if parent is not None and parent.get("config", {}).get("materialized") in ("view", "ephemeral"):
                waiting.append(parent)
    digest.update(json.dumps(node.get("config", {}), sort_keys=True, default=str).encode())
    return digest.hexdigest()
