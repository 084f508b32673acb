"""What a backfill plans: dates in runs, its cost from history, and when a plan is stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ops_project.pipeline.recovery.decide.backfill import Now, PastRun, Plan, estimated, failed_days, stale, windows_of

FIRST = date(2026, 3, 1)


def days(*numbers: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in numbers]


def run(first: int, last: int, seconds: float = 10, succeeded: bool = True) -> PastRun:
    return PastRun(*days(first, last), succeeded=succeeded, seconds=seconds)


PLAN = Plan(
    target="silver.orders",
    domain="shop",
    job="shop_pipeline",
    windows=windows_of(days(0, 1)),
    assets=("gold.sales", "silver.orders"),
    downstream=("gold.sales",),
    left_out=(("bronze.orders", "upstream"),),
    rows=10,
    seconds=20.0,
    basis="2 runs",
    state="aaaa",
    waiting=("a.csv", "b.csv"),
    snapshot="000001-x",
)


def test_windows_hold_exactly_the_days_that_were_asked_for() -> None:
    asked = days(0, 1, 2, 5, 7, 8)
    found = windows_of(reversed(asked))
    assert found == ((asked[0], asked[2]), (asked[3], asked[3]), (asked[4], asked[5]))
    assert [(last - first).days + 1 for first, last in windows_of(days(*range(70)))] == [31, 31, 8]
    assert windows_of([]) == ()


def test_a_day_has_failed_where_its_last_run_has() -> None:
    runs = [run(0, 3, succeeded=False), run(1, 1), run(3, 3), run(3, 3, succeeded=False)]
    assert failed_days(runs, days(0, 1, 2, 3, 4)) == days(0, 2, 3)


@pytest.mark.parametrize(
    ("runs", "seconds"),
    [
        ([], None),
        ([run(0, 0, succeeded=False)], None),
        ([run(0, 0, 30), run(1, 1, 50)], 2 * 40),
        # A run takes 20 s, and 2 s for each date.
        ([run(0, 0, 22), run(0, 9, 40), run(0, 29, 80)], 2 * 20 + 2 * (31 + 9)),
        # More dates in fewer seconds are chance and give no rule.
        ([run(0, 0, 30), run(0, 1, 20), run(0, 3, 10)], 20 * 31 / 2 + 20 * 9 / 2),
    ],
)
def test_the_cost_comes_from_our_own_history(runs: list[PastRun], seconds: float | None) -> None:
    short = len(runs) == 2
    windows = windows_of(days(0, 2)) if short else windows_of(days(*range(40)))
    found, basis = estimated(windows, runs)
    assert found == (pytest.approx(seconds) if seconds is not None else None)
    assert ("is unknown" in basis) == (seconds is None)


def test_the_hash_is_of_all_that_the_plan_says() -> None:
    assert Plan.load(PLAN.dump()) == PLAN and Plan.load(PLAN.dump()).hash == PLAN.hash
    for change in ({"state": "b"}, {"snapshot": None}, {"windows": PLAN.windows[:0]}, {"assets": ()}):
        assert replace(PLAN, **change).hash != PLAN.hash


NOW = Now("aaaa", frozenset(PLAN.waiting), "000001-x")


def test_a_plan_is_stale_once_anybody_else_has_changed_something() -> None:
    assert stale(PLAN, NOW) is None
    assert "warehouse has changed" in (stale(PLAN, replace(NOW, snapshot="000002-y")) or "")
    assert "contracts" in (stale(PLAN, replace(NOW, state="bbbb")) or "")
    for waiting in (["a.csv"], ["a.csv", "b.csv", "c.csv"]):
        assert "inbound" in (stale(PLAN, replace(NOW, waiting=frozenset(waiting))) or "")


def test_its_own_progress_does_not_make_it_stale() -> None:
    later = replace(NOW, snapshot="000003-z", ours=frozenset({"000003-z"}), begun=True)
    assert stale(PLAN, later) is None and stale(PLAN, replace(later, waiting=frozenset({"b.csv"}))) is None
    assert stale(PLAN, replace(later, snapshot="000004-q")) and stale(
        PLAN, replace(later, waiting=frozenset({"c.csv"}))
    )
