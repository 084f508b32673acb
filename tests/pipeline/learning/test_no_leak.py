"""No feature uses data from after its cut-off: later events do not change the feature."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from ops_project.pipeline.learning import changes, churn, frames
from tests.pipeline.learning import shop
from tests.pipeline.learning.shop import FIRST, shipped

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


# Files: `early` is dated before every cut-off, `late` on it. Each case is a change that the late file brings.
NUMBER = "row_number() over (order by customer_id, business_date)"
HEAD = f"insert into bronze.orders select 'O' || {NUMBER}, {{who}}, '{{status}}', business_date, {{at}}, 'USD'"
LINE = f"insert into bronze.order_items select 'O' || {NUMBER}, 1, 1, {{price}}, business_date"
DAYS_OF_ALL = "from silver.int_customer_days where business_date < date '{cutoff}'"
EARLY, LATE = ", 'early', 1, 1 " + DAYS_OF_ALL, ", 'late', 2, 1 " + DAYS_OF_ALL
MORNING, EVENING = "timestamp '2026-01-01 08:00:00'", "timestamp '2026-03-01 20:00:00'"
OLD_HEAD = HEAD.format(who="customer_id", status="paid", at=MORNING) + EARLY
OLD_LINE = LINE.format(price=20) + EARLY


@pytest.mark.parametrize(
    "said",
    [
        [HEAD.format(who="customer_id", status="paid", at=EVENING) + LATE, LINE.format(price=50) + LATE],
        [OLD_HEAD, OLD_LINE, HEAD.format(who="customer_id", status="cancelled", at=EVENING) + LATE],
        [OLD_HEAD, OLD_LINE, LINE.format(price=3.5) + LATE],
        [OLD_HEAD, OLD_LINE, HEAD.format(who="'new' || customer_id", status="paid", at=EVENING) + LATE],
        [f"insert into bronze.web_events select {NUMBER}, customer_id, 'product_view', business_date" + LATE],
    ],
    ids=["late", "undone", "amount", "moved", "views"],
)
def test_what_a_later_file_says_of_earlier_days_was_not_known_at_the_cutoff(
    connection: duckdb.DuckDBPyConnection, said: list[str]
) -> None:
    """Training uses cut-offs of weeks ago, and the tables of the days before them hold what is known today."""
    told(connection, CUTOFF)
    before = frames.features(connection, [CUTOFF], **WINDOW)
    for sql in said:
        connection.execute(sql.replace("{cutoff}", str(CUTOFF)))
    changes.define(connection)
    connection.execute(TODAY)
    then = frames.features(connection, [CUTOFF], **WINDOW)
    assert before.customers == then.customers
    np.testing.assert_allclose(before.raw, then.raw, rtol=1e-12)
    tomorrow = CUTOFF + timedelta(days=1)
    later = frames.features(connection, [tomorrow], **WINDOW)
    connection.execute("delete from bronze.orders; delete from bronze.order_items; delete from bronze.web_events")
    known = frames.features(connection, [tomorrow], **WINDOW)
    assert later.customers == known.customers
    np.testing.assert_array_equal(later.raw, known.raw)
    assert known.fingerprint != frames.features(connection, [CUTOFF], **WINDOW).fingerprint


# The content of the days after the late file was built.
TODAY = f"""
    create or replace table silver.int_customer_days as
    select
        customer_id, business_date, sum(orders) as orders, sum(undone_orders) as undone_orders,
        sum(sales_orders) as sales_orders, sum(units) as units, sum(gross_revenue) as gross_revenue,
        sum(web_events) as web_events, sum(product_views) as product_views
    from (
        from silver.int_customer_days
        union all
        select customer_id, business_date, orders, undone_orders, sales_orders, 0, gross_revenue, 0, product_views
        from {changes.VIEW}
    )
    group by all
"""


def told(connection: duckdb.DuckDBPyConnection, late: date) -> None:
    """Two files, one dated before every day and one on `late`."""
    for batch, on in (("early", FIRST - timedelta(days=1)), ("late", late)):
        connection.execute(
            "insert into ops.batches by name select ? as batch_id, 'orders' as feed, 'ecommerce' as domain,"
            " ? as file_name, 'x' as sha256, 1 as size_bytes, timestamp '2026-01-01' as arrived_at,"
            " ?::date as business_date, 1 as load_seq, 'loaded' as status, 0 as rows_in, 0 as rows_loaded,"
            " 0 as rows_quarantined, 0 as rows_filtered, 0 as rows_collapsed, timestamp '2026-01-01' as loaded_at",
            [batch, batch, on],
        )


def test_a_prediction_of_today_takes_back_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """A file of today may hold only changes of earlier days. These changes are known today."""
    known = frames.history(connection, shop.TODAY)
    assert known is not None
    before = frames.features(connection, [known.next_cutoff], **WINDOW)
    told(connection, known.next_cutoff)
    sql = HEAD.format(who="customer_id", status="cancelled", at=EVENING) + LATE
    connection.execute(sql.replace("{cutoff}", str(known.next_cutoff)))
    np.testing.assert_array_equal(before.raw, frames.features(connection, [known.next_cutoff], **WINDOW).raw)


def test_no_customer_is_in_two_folds(connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of one customer at several cut-offs are similar, so calibration needs predictions for customers that
    were not seen.
    """
    from sklearn import model_selection

    frame = frames.features(connection, [CUTOFF - timedelta(days=14), CUTOFF], **WINDOW)
    assert len(set(frame.customers)) < len(frame)
    parts: list[tuple[set[str], set[str]]] = []
    predict = model_selection.cross_val_predict

    def watched(*data: Any, cv: Any, **more: Any) -> Any:
        for learned, judged in cv:
            parts.append(({frame.customers[row] for row in learned}, {frame.customers[row] for row in judged}))
        return predict(*data, cv=cv, **more)

    monkeypatch.setattr(model_selection, "cross_val_predict", watched)
    outcome = frames.churned(connection, frame, 14)
    churn.fit(frame.matrix, outcome, churn.folds_of(outcome, frame.customers, seed=1), frames.FEATURES)
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
    known = frames.history(connection, shop.TODAY)
    assert known is not None
    assert known.newest < shop.TODAY
