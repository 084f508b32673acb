"""What `ops run` prints about failed checks: nothing twice, and no second advice for one fault."""

from __future__ import annotations

from ops_project.cli.failed_checks import failed_checks
from ops_project.cli.run_summary import _not_run
from ops_project.dagster_bridge.runs import CheckOutcome, RunOutcome
from ops_project.defs.shared.domain_run import DomainRun


def failed(asset: str, name: str, description: str = "") -> CheckOutcome:
    return CheckOutcome(tuple(asset.split("/")), name, blocking=False, passed=False, description=description)


def test_a_fault_that_stands_in_a_finding_is_not_told_again_with_another_advice() -> None:
    arrival = failed("bronze/orders", "arrival", "orders: 1 × source_missing. no file of orders. Ask the contact.")
    assert failed_checks([arrival], {"bronze/orders"}) == [
        "bronze.orders: check arrival failed: orders: 1 × source_missing; the finding above says what to do"
    ]
    # A finding of an earlier run is not printed above.
    assert "Ask the contact." in failed_checks([arrival], {"bronze/customers"})[0]


def test_what_a_check_says_of_several_tables_is_one_line() -> None:
    tables = ["bronze/orders", "silver/fact_orders", "gold/daily_revenue"]
    lines = failed_checks(
        [failed(one, "freshness", f"{one.replace('/', '.')} is stale: 29 h. Look at its run.") for one in tables], ()
    )
    assert lines == [
        "check freshness failed for 3 tables: each is stale: 29 h. Look at its run. They are bronze.orders, "
        "silver.fact_orders, gold.daily_revenue"
    ]


def test_different_texts_and_different_checks_stay_apart() -> None:
    lines = failed_checks(
        [
            failed("bronze/a", "freshness", "bronze.a is stale: 29 h."),
            failed("bronze/b", "freshness", "bronze.b is stale: 53 h."),
            failed("bronze/a", "volume", "29 rows in place of 40."),
            failed("bronze/b", "volume", "29 rows in place of 40."),
            failed("bronze/c", "rules"),
        ],
        (),
    )
    assert lines == [
        "bronze.a: check freshness failed: bronze.a is stale: 29 h.",
        "bronze.b: check freshness failed: bronze.b is stale: 53 h.",
        "bronze.a: check volume failed: 29 rows in place of 40.",
        "bronze.b: check volume failed: 29 rows in place of 40.",
        "bronze.c: check rules failed",
    ]


def test_a_check_of_a_built_table_that_gave_no_result_is_told() -> None:
    def planned(asset: str, name: str) -> CheckOutcome:
        return CheckOutcome(tuple(asset.split("/")), name, blocking=False, passed=None)

    checks = (planned("silver/a", "keys"), planned("silver/a", "rules"), planned("silver/held", "keys"))
    done = RunOutcome(frozenset(), built=frozenset({("silver", "a")}), checks=checks)
    item = DomainRun("shop", "daily", "failed", 1.0, outcome=done)
    assert _not_run(item) == ["silver.a: no result of keys, rules; it is not known whether the table is good"]
