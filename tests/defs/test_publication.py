"""A gold table is published only if all its blocking checks were evaluated in this run and passed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ops_project.dagster_bridge.runs import CheckOutcome, RunOutcome
from ops_project.defs.shared.publication import faults, verdicts

KEY = ("gold", "takings")
NODE = {
    "resource_type": "model",
    "schema": "gold",
    "name": "takings",
    "alias": "takings",
    "config": {"meta": {"domain": "shop"}},
    "meta": {"domain": "shop"},
    "fqn": ["ops_project", "shop", "gold", "takings"],
}
SITE = SimpleNamespace(
    dbt=SimpleNamespace(json={"nodes": {"model.ops_project.takings": NODE}}),
    blocking={(KEY, "unique"), (KEY, "score")},
    catalog=SimpleNamespace(
        reconciliations=SimpleNamespace(
            reconciliations={
                "takings": SimpleNamespace(
                    nodes=[
                        SimpleNamespace(table=table) for table in (None, "silver.sales", "gold.takings", "gold.report")
                    ]
                )
            }
        )
    ),
)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"unique": True, "score": True}, ""),
        ({"unique": True, "score": False}, "blocking checks failed: score"),
        ({"unique": True, "score": None}, "blocking checks did not run: score"),
        ({"unique": True}, "blocking checks did not run: score"),
        ({}, "blocking checks did not run: score, unique"),
    ],
)
def test_a_blocking_check_that_was_not_made_holds_the_table(made, reason):
    checks = tuple(CheckOutcome(KEY, name, blocking=True, passed=passed) for name, passed in made.items())
    outcome = RunOutcome(frozenset({KEY}), frozenset({KEY}), checks)
    [verdict] = [tables["takings"] for tables in verdicts(SITE, outcome).values()]
    assert (verdict.passed, verdict.reason) == (not reason, reason)


@pytest.mark.parametrize(
    ("asset", "reason"),
    [
        (("silver", "sales"), "reconciliation takings breaks at silver.sales"),
        (KEY, "reconciliation takings breaks at gold.takings"),
        (("gold", "report"), ""),
    ],
)
def test_a_hop_that_breaks_on_the_way_holds_the_table_and_one_behind_it_does_not(asset, reason):
    made = [CheckOutcome(KEY, name, blocking=True, passed=True) for name in ("unique", "score")]
    broken = CheckOutcome(asset, "reconciliation_takings", blocking=False, passed=False)
    outcome = RunOutcome(frozenset({KEY}), frozenset({KEY}), (*made, broken))
    [verdict] = [tables["takings"] for tables in verdicts(SITE, outcome).values()]
    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (CheckOutcome(("silver", "sales"), "unique", blocking=True, passed=False), ["unique failed at silver.sales"]),
        (
            CheckOutcome(("silver", "sales"), "reconciliation_takings", blocking=False, passed=False),
            ["reconciliation_takings failed at silver.sales"],
        ),
        (CheckOutcome(("silver", "sales"), "unique", blocking=True, passed=False, severity="WARN"), []),
        (CheckOutcome(("silver", "sales"), "freshness", blocking=False, passed=False), []),
        (CheckOutcome(("silver", "sales"), "unique", blocking=True, passed=True), []),
    ],
)
def test_a_run_is_good_if_nothing_that_it_found_forbids_publishing(check, words):
    assert faults(SITE, RunOutcome(frozenset(), frozenset({check.asset}), (check,))) == words


def test_a_run_that_built_a_table_without_its_blocking_checks_is_not_good():
    planned = tuple(CheckOutcome(KEY, name, blocking=False, passed=None) for name in ("unique", "score"))
    found = faults(SITE, RunOutcome(frozenset({KEY}), frozenset({KEY}), planned))
    assert found == ["score did not run at gold.takings", "unique did not run at gold.takings"]


def test_a_job_that_leaves_a_check_out_need_not_run_it():
    assert faults(SITE, RunOutcome(frozenset({KEY}), frozenset({KEY}), ())) == []
