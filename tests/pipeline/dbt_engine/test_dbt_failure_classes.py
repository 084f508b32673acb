"""A failed dbt model or test gets the class that its layer declares, unless the engine's message shows a more
certain one.
"""

from __future__ import annotations

import dagster as dg
import pytest

from ops_project.defs.shared import dbt_events as bridge
from ops_project.pipeline.dbt_engine.runner import DbtResult

MANIFEST = {
    "nodes": {
        "model.p.customer_360": {
            "name": "customer_360",
            "resource_type": "model",
            "config": {"meta": {"failure_class": "mart_build_failure"}},
        },
        "model.p.hub_customer": {"name": "hub_customer", "resource_type": "model", "config": {"meta": {}}},
    }
}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("customer_360: Runtime Error\n  Constraint Error: NOT NULL constraint failed", "mart_build_failure"),
        ("customer_360: Runtime Error\n  Binder Error: Referenced column x not found", "mart_build_failure"),
        ("customer_360: Out of Memory Error: could not allocate", "resource_exhausted"),
        ("customer_360: IO Error: No space left on device", "storage_full"),
        ("hub_customer: Binder Error: column does not exist", "schema_mismatch"),
    ],
)
def test_a_failed_model(error: str, expected: str) -> None:
    failure = bridge.failure_of(DbtResult(errors=(error,)), bridge.declared_classes(MANIFEST))
    assert failure is not None
    assert failure.metadata["failure_class"].value == expected


@pytest.mark.parametrize(
    ("model", "test", "expected"),
    [
        ("model.p.customer_360", "primary_key", "mart_build_failure"),
        ("model.p.hub_customer", "primary_key", "key_violation"),
        ("model.p.hub_customer", "relationships", "reference_violation"),
        ("model.p.hub_customer", "in_range", "data_invalid"),
    ],
)
def test_a_failed_test(model: str, test: str, expected: str) -> None:
    node = {"attached_node": model, "config": {"meta": {}}, "test_metadata": {"name": test}}
    failed = dg.AssetCheckResult(passed=False, check_name="c", asset_key="a")
    assert bridge._with_class(failed, node, MANIFEST).metadata["failure_class"].value == expected
    passed = dg.AssetCheckResult(passed=True, check_name="c", asset_key="a")
    assert "failure_class" not in bridge._with_class(passed, node, MANIFEST).metadata


def test_a_failed_test_of_a_column_names_it() -> None:
    node = {"config": {}, "test_metadata": {"name": "relationships", "kwargs": {"column_name": "customer_id"}}}
    failed = dg.AssetCheckResult(passed=False, check_name="c", asset_key="a")
    assert bridge._with_class(failed, node, MANIFEST).metadata["column"].value == "customer_id"
    node["test_metadata"] = {"name": "one_row", "kwargs": {}}
    assert "column" not in bridge._with_class(failed, node, MANIFEST).metadata


def test_a_failed_test_says_what_it_asserts_of_which_table_and_how_many_rows_break_it() -> None:
    manifest = {
        "nodes": {"model.p.fact_policies": {"name": "fact_policies", "schema": "silver", "config": {"meta": {}}}}
    }
    node = {
        "attached_node": "model.p.fact_policies",
        "config": {"meta": {}},
        "test_metadata": {"name": "no_overlap", "kwargs": {"key": ["policy_id"], "model": "{{ get_where_subquery }}"}},
    }
    failed = dg.AssetCheckResult(
        passed=False, check_name="c", asset_key="a", metadata={"dagster_dbt/failed_row_count": 2}
    )
    said = bridge._with_class(failed, node, manifest).description
    assert said == "2 rows of silver.fact_policies break the rule no_overlap (key: policy_id)"


def test_a_test_that_could_not_run_says_so_and_not_that_rows_break_its_rule() -> None:
    check = dg.AssetCheckResult(passed=False, asset_key=dg.AssetKey(["gold", "sales"]), check_name="keys")
    result = DbtResult(errors=('keys: Binder Error: Referenced column "nothing" not found',))
    (told,) = bridge.of_broken_tests([(check, "keys")], result)
    assert not told.passed
    assert "could not run" in str(told.description) and "nothing" in str(told.description)
    assert told.metadata["failure_class"] == dg.MetadataValue.text("schema_mismatch")


@pytest.mark.parametrize("words", ["Runtime Error INTERRUPT Error: Interrupted!", "Query interrupted"])
def test_a_test_that_was_interrupted_gives_no_verdict(words: str) -> None:
    check = dg.AssetCheckResult(passed=False, asset_key=dg.AssetKey(["gold", "sales"]), check_name="keys")
    assert list(bridge.of_broken_tests([(check, "keys")], DbtResult(errors=(f"keys: {words}",)))) == []
