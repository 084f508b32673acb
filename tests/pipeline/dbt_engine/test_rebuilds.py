"""`ops run --rebuild TABLE` names the table and everything that depends on it, however dbt builds them."""

from __future__ import annotations

from typing import Any

import pytest

from ops_project.defs.shared.orders import Order
from ops_project.pipeline.dbt_engine.rebuilds import RebuildError, with_downstream


def _manifest(**configs: dict[str, Any]) -> dict[str, Any]:
    """A chain of models, each of which reads the one before it."""
    names = list(configs)
    nodes = {
        f"model.shop.{name}": {
            "unique_id": f"model.shop.{name}",
            "resource_type": "model",
            "name": name,
            "schema": "silver",
            "config": config,
        }
        for name, config in configs.items()
    }
    children = {
        f"model.shop.{name}": [f"test.shop.{name}", *(f"model.shop.{after}" for after in names[place + 1 : place + 2])]
        for place, name in enumerate(names)
    }
    return {"nodes": nodes, "child_map": children}


TABLE = {"materialized": "table"}
VIEW = {"materialized": "view"}
INCREMENTAL = {"materialized": "incremental"}
KEPT = {"materialized": "incremental", "full_refresh": False}


@pytest.mark.parametrize("kind", [TABLE, VIEW, INCREMENTAL], ids=lambda config: config["materialized"])
def test_a_table_that_is_named_makes_a_run_necessary(kind: dict[str, Any]) -> None:
    models = with_downstream(_manifest(lines=kind, daily=TABLE), ["silver.lines"])
    assert models == ["daily", "lines"]
    assert not Order(rebuild_tables=tuple(models)).is_plain


def test_what_cannot_be_computed_again_is_never_built_anew() -> None:
    manifest = _manifest(lines=TABLE, reported=KEPT, daily=TABLE)
    assert with_downstream(manifest, ["lines"]) == ["daily", "lines"]
    with pytest.raises(RebuildError, match="cannot be computed again"):
        with_downstream(manifest, ["reported"])
