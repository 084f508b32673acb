"""No feature sees past its cut-off: what happens on it or after it may be anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from ops_project.pipeline.learning import churn, frames
from tests.pipeline.learning.shop import FIRST, TODAY, shipped

CUTOFF = FIRST + timedelta(days=50)
WINDOW = {"lookback_days": 365, "active_days": 60}


@pytest.mark.parametrize(
    "spoil",
    [
        "delete from silver.int_customer_days where business_date >= ?",
        "update silver.int_customer_days set gross_revenue = 1e6, sales_orders = 9, orders = 9, undone_orders = 9,"
        " product_views = 99 where business_date >= ?",
        "insert into silver.int_customer_days select distinct customer_id, ?, 5, 5, 5, 5, 5000, 50, 50"
        " from silver.int_customer_days",
    ],
    ids=["deleted", "changed", "added"],
)
def test_whatever_happens_from_the_cutoff_on_changes_no_feature(
    connection: duckdb.DuckDBPyConnection, spoil: str
) -> None:
    before = frames.features(connection, [CUTOFF], **WINDOW)
    connection.execute(spoil, [CUTOFF])
    after = frames.features(connection, [CUTOFF], **WINDOW)
    assert before.customers == after.customers
    np.testing.assert_array_equal(before.raw, after.raw)
    np.testing.assert_array_equal(before.revenue, after.revenue)


def test_an_order_that_is_undone_after_the_cutoff_was_not_undone_at_it(connection: duckdb.DuckDBPyConnection) -> None:
    """Training looks back at cut-offs of weeks ago; today's status of their orders was not known then."""
    before = frames.features(connection, [CUTOFF], **WINDOW)
    connection.execute(
        "update silver.fact_orders set is_undone = true, updated_at = ? where order_date < ? and not is_undone",
        [CUTOFF, CUTOFF],
    )
    connection.execute("update silver.int_customer_days set undone_orders = orders where business_date < ?", [CUTOFF])
    np.testing.assert_array_equal(before.raw, frames.features(connection, [CUTOFF], **WINDOW).raw)
    later = frames.features(connection, [CUTOFF + timedelta(days=1)], **WINDOW)
    assert later.raw[:, frames.FEATURES.index("undone_share")].mean() > 0.9


def test_an_order_without_a_time_of_its_change_is_not_placed_before_a_cutoff(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute("update silver.fact_orders set is_undone = true, updated_at = null")
    shares = frames.features(connection, [CUTOFF], **WINDOW).raw[:, frames.FEATURES.index("undone_share")]
    assert not shares.any()


def test_no_customer_is_in_two_folds(connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a customer at several cut-offs are much alike; calibration needs predictions for unseen customers."""
    from sklearn import model_selection

    frame = frames.features(connection, [CUTOFF - timedelta(days=14), CUTOFF], **WINDOW)
    assert len(set(frame.customers)) < len(frame)
    parts: list[tuple[set[str], set[str]]] = []
    split = model_selection.StratifiedGroupKFold.split

    def watched(self: Any, *data: Any, **more: Any) -> Any:
        for learned, judged in split(self, *data, **more):
            parts.append(({frame.customers[row] for row in learned}, {frame.customers[row] for row in judged}))
            yield learned, judged

    monkeypatch.setattr(model_selection.StratifiedGroupKFold, "split", watched)
    outcome = frames.churned(connection, frame, 14)
    churn.fit(frame.matrix, outcome, frame.customers, frames.FEATURES, seed=1)
    assert len(parts) == churn.FOLDS
    assert not any(learned & judged for learned, judged in parts)
    assert set.union(*(judged for _, judged in parts)) == set(frame.customers)


def test_what_happened_before_it_does(connection: duckdb.DuckDBPyConnection) -> None:
    before = frames.features(connection, [CUTOFF], **WINDOW)
    connection.execute("delete from silver.int_customer_days where business_date = ?", [CUTOFF - timedelta(days=1)])
    assert before.fingerprint != frames.features(connection, [CUTOFF], **WINDOW).fingerprint


def test_the_outcome_is_what_happens_from_the_cutoff_to_the_end_of_the_horizon(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    frame = frames.features(connection, [CUTOFF], **WINDOW)
    who = frame.customers[0]

    def churned_after(day: int | None) -> float:
        connection.execute(
            "delete from silver.int_customer_days where customer_id = ? and business_date >= ?", [who, CUTOFF]
        )
        if day is not None:
            connection.execute(
                "insert into silver.int_customer_days values (?, ?, 1, 0, 1, 1, 10, 0, 0)",
                [who, CUTOFF + timedelta(days=day)],
            )
        return float(frames.churned(connection, frame, 14)[0])

    assert [churned_after(day) for day in (0, 13, 14, None)] == [0, 0, 1, 1]


def test_every_training_outcome_is_known_before_the_held_out_cutoff() -> None:
    churn = shipped().churn
    for days in range(1, 200):
        known = frames.History(FIRST, FIRST + timedelta(days=days - 1))
        found = frames.split(known, churn)
        if found is None:
            assert days < churn.min_history_days
            continue
        assert found.held_out + timedelta(days=churn.horizon_days) == known.next_cutoff
        assert all((day - FIRST).days >= churn.warm_up_days for day in found.training)
        if found.by_customer:
            assert found.training == [found.held_out]
        else:
            assert max(found.training) + timedelta(days=churn.horizon_days) <= found.held_out


def test_held_out_customers_are_the_same_for_ever_and_about_half() -> None:
    names = [f"C{index}" for index in range(2000)]
    away = frames.held_out_half(names)
    assert 0.45 < away.mean() < 0.55
    assert list(frames.held_out_half(names[::-1])) == list(away[::-1])


def test_data_from_the_future_is_not_history(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("insert into silver.int_customer_days values ('C1', '2099-01-01', 1, 0, 1, 1, 1, 0, 0)")
    known = frames.history(connection, TODAY)
    assert known is not None
    assert known.newest < TODAY
