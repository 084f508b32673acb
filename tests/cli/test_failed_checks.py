"""What `ops run` prints about failed checks: nothing twice, and no second advice for one fault."""

from __future__ import annotations

import pytest

from ops_project import catalog
from ops_project.cli.failed_checks import failed_checks
from ops_project.cli.run_summary import _not_run, as_data, render
from ops_project.dagster_bridge.runs import CheckOutcome, RunOutcome
from ops_project.defs.shared.domain_run import DomainRun, RunReport
from ops_project.settings import Settings


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


@pytest.mark.parametrize(
    ("state", "fails", "error", "words", "ending"),
    [
        ("succeeded", 0, None, "succeeded", "succeeded"),
        ("succeeded", 1, None, "built, 1 check failed", "checks failed"),
        ("succeeded", 2, None, "built, 2 checks failed", "checks failed"),
        ("succeeded", 2, "snapshot or publication failed", "built, not published", "not published"),
        ("failed", 2, None, "failed", "failed"),
        ("nothing new", 0, None, "nothing new", "nothing new"),
    ],
)
def test_a_run_that_ends_with_an_error_is_not_called_succeeded(
    tmp_path, state: str, fails: int, error: str | None, words: str, ending: str
) -> None:
    checks = tuple(failed("silver/a", f"rule_{number}") for number in range(fails))
    done = RunOutcome(frozenset(), frozenset(), checks)
    item = DomainRun("ecommerce", "daily", state, 1.0, report=RunReport(error=error), outcome=done)
    settings = Settings(home=tmp_path)
    [told] = as_data(settings, [item], 1.0)["runs"]
    assert (item.words, told["state"]) == (words, ending)
    assert item.failed == (ending in ("failed", "checks failed", "not published"))
    shown = render(settings, [item], 1.0, [], catalog.load(settings))[0]
    assert [str(cell) for cell in shown.columns[1].cells] == [words]
