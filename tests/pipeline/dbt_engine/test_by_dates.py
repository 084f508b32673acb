"""Only models that replace nothing but the rows of known dates count as built by dates. The files of the others are
compared as a whole before they are published.
"""

from __future__ import annotations

from typing import Any

import pytest

from ops_project.pipeline.dbt_engine.by_dates import STRATEGY, built_by_dates


def _manifest(**changes: Any) -> dict[str, Any]:
    config = {"materialized": "incremental", "incremental_strategy": STRATEGY, "meta": {}} | changes
    node = {
        "unique_id": "model.shop.sales",
        "resource_type": "model",
        "name": "sales",
        "schema": "gold",
        "raw_code": "select 1",
        "config": config,
    }
    return {"nodes": {node["unique_id"]: node}, "macros": {}}


def test_a_model_says_how_many_days_after_a_touched_one_it_replaces():
    assert built_by_dates(_manifest())["gold.sales"].spread_days == 0
    assert built_by_dates(_manifest(meta={"spread_days": 3}))["gold.sales"].spread_days == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"meta": {"rebuilt_too": "days_of_changed_songs"}},
        {"incremental_strategy": "append"},
        {"materialized": "table"},
    ],
    ids=["a macro names further dates", "another strategy", "a table"],
)
def test_a_model_whose_dates_are_not_known_is_left_out(changes):
    assert built_by_dates(_manifest(**changes)) == {}
