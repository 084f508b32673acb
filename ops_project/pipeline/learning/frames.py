"""Features of customers as they were known before a cut-off, and what the customers did after it.

One query covers every cut-off. Each row of silver is joined only to the cut-offs after it. A file of the cut-off's day
or later may change earlier days, for example by a late, cancelled or corrected order. These changes are subtracted,
because nobody knew them at the cut-off.

The join and this subtraction are the only parts that depend on time. A test breaks each of them, to prove that no
feature uses anything from after its cut-off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import numpy.typing as npt

from ops_project.model.days import days_later
from ops_project.model.learning import Churn
from ops_project.pipeline.learning import changes
from ops_project.pipeline.learning.judge.metrics import Floats

FEATURES = [
    "recency_days",
    "recency_ratio",
    "orders_30",
    "orders_90",
    "orders_lookback",
    "days_per_order",
    "revenue_90",
    "average_order",
    "undone_share",
    "views_14",
    "views_15_44",
    "tenure_days",
]
SHARES = frozenset({"undone_share"})

_FEATURE_SQL = """
with cutoffs as (select unnest($cutoffs::date[]) as cutoff),

-- The cut-off of the prediction lies after every day, so everything that is known counts for it.
bounds as (select max(business_date) as newest from silver.int_customer_days),

days as (
    select
        cutoffs.cutoff, days.customer_id, days.business_date, days.orders, days.undone_orders, days.sales_orders,
        days.gross_revenue, days.product_views
    from cutoffs
    inner join silver.int_customer_days as days
        on days.business_date < cutoffs.cutoff and days.business_date >= cutoffs.cutoff - $lookback::integer
    union all
    select
        cutoffs.cutoff, changes.customer_id, changes.business_date, -changes.orders, -changes.undone_orders,
        -changes.sales_orders, -changes.gross_revenue, -changes.product_views
    from cutoffs
    cross join bounds
    inner join customer_day_changes as changes
        on
            changes.known_on >= cutoffs.cutoff
            and changes.business_date < cutoffs.cutoff
            and changes.business_date >= cutoffs.cutoff - $lookback::integer
            and cutoffs.cutoff <= bounds.newest
),

history as (
    select
        cutoff,
        customer_id,
        cutoff - business_date as age,
        sum(orders) as orders,
        sum(undone_orders) as undone_orders,
        sum(sales_orders) as sales_orders,
        -- Without an exchange rate an amount is unknown, and so is every sum that contains it.
        case when count(gross_revenue) = count(*) then sum(gross_revenue) end as gross_revenue,
        sum(product_views) as product_views
    from days
    group by cutoff, customer_id, business_date
),

customers as (
    select
        cutoff,
        customer_id,
        min(age) filter (where sales_orders > 0) as recency_days,
        max(age) filter (where sales_orders > 0) as tenure_days,
        coalesce(sum(sales_orders) filter (where age <= 30), 0)::double as orders_30,
        coalesce(sum(sales_orders) filter (where age <= 90), 0)::double as orders_90,
        sum(sales_orders)::double as orders_lookback,
        coalesce(sum(gross_revenue) filter (where age <= 90), 0)::double as revenue_90,
        sum(gross_revenue)::double as revenue_lookback,
        coalesce(sum(undone_orders) / nullif(sum(orders), 0), 0)::double as undone_share,
        coalesce(sum(product_views) filter (where age <= 14), 0)::double as views_14,
        coalesce(sum(product_views) filter (where age between 15 and 44), 0)::double as views_15_44
    from history
    group by cutoff, customer_id
    -- If an order of a customer has no exchange rate, it is unknown how much the customer bought.
    having count(gross_revenue) = count(*)
)

select
    cutoff,
    customer_id,
    recency_days::double as recency_days,
    recency_days / greatest(tenure_days / orders_lookback, 1.0) as recency_ratio,
    orders_30,
    orders_90,
    orders_lookback,
    tenure_days / orders_lookback as days_per_order,
    revenue_90,
    revenue_lookback / orders_lookback as average_order,
    undone_share,
    views_14,
    views_15_44,
    tenure_days::double as tenure_days,
    revenue_lookback
from customers
where recency_days <= $active
order by cutoff, customer_id
"""
_RETURNED_SQL = """
with cutoffs as (select unnest(?::date[]) as cutoff)

select distinct cutoffs.cutoff, days.customer_id
from cutoffs
inner join silver.int_customer_days as days
    on
        days.business_date >= cutoffs.cutoff
        and days.business_date < cutoffs.cutoff + ?::integer
        and days.sales_orders > 0
"""


@dataclass(frozen=True)
class Frame:
    """Customers at cut-offs: ids, cut-offs, raw features (rows × FEATURES), and the revenue of the whole lookback
    period.
    """

    customers: list[str]
    cutoffs: list[date]
    raw: Floats
    revenue: Floats

    def __len__(self) -> int:
        return len(self.customers)

    @property
    def matrix(self) -> Floats:
        """The inputs of the models. Counts, amounts and days are logarithms, and shares are unchanged."""
        columns = [
            self.raw[:, index] if name in SHARES else np.log1p(np.clip(self.raw[:, index], 0, None))
            for index, name in enumerate(FEATURES)
        ]
        return np.column_stack(columns)

    @property
    def fingerprint(self) -> str:
        """Hash of the data. Equal inputs have equal hashes."""
        digest = hashlib.sha256("\n".join(self.customers).encode())
        digest.update("\n".join(map(str, self.cutoffs)).encode())
        digest.update(np.ascontiguousarray(self.raw).tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class History:
    """The first and the newest business date on which silver has customer days."""

    first: date
    newest: date

    @property
    def days(self) -> int:
        return (self.newest - self.first).days + 1

    @property
    def next_cutoff(self) -> date:
        """The cut-off of today's prediction. All known data is from before this date."""
        return days_later(self.newest, 1)


def history(connection: duckdb.DuckDBPyConnection, today: date) -> History | None:
    """The days for which silver has data, up to today; None if there are none. Dates in the future do not count."""
    row = connection.execute(
        "select min(business_date), max(business_date) from silver.int_customer_days where business_date <= ?", [today]
    ).fetchone()
    return History(*row) if row and row[0] else None


def features(
    connection: duckdb.DuckDBPyConnection, cutoffs: Sequence[date], *, lookback_days: int, active_days: int
) -> Frame:
    """One row for each cut-off and each customer who ordered within `active_days` before it. The rows are sorted by
    cut-off and customer id.

    `lookback_days`: the number of days before a cut-off from which data is used.
    """
    changes.define(connection)
    given = {"cutoffs": list(cutoffs), "lookback": lookback_days, "active": active_days}
    rows = connection.execute(_FEATURE_SQL, given).fetchall()
    values = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), len(FEATURES) + 1)
    return Frame([row[1] for row in rows], [row[0] for row in rows], values[:, :-1], values[:, -1])


def churned(connection: duckdb.DuckDBPyConnection, frame: Frame, horizon_days: int) -> Floats:
    """1 for each row whose customer did not order in the `horizon_days` after the cut-off, and 0 for any other row."""
    cutoffs = sorted(set(frame.cutoffs))
    returned = set(connection.execute(_RETURNED_SQL, [cutoffs, horizon_days]).fetchall())
    return np.array(
        [(when, who) not in returned for when, who in zip(frame.cutoffs, frame.customers, strict=True)],
        dtype=np.float64,
    )


@dataclass(frozen=True)
class Split:
    """The cut-offs to learn from, and the cut-off that is held out to judge the model. The held-out one is later. While
    the history is too short for that, both are the same cut-off with other customers.
    """

    training: list[date]
    held_out: date
    by_customer: bool


def split(known: History, churn: Churn) -> Split | None:
    """Training cut-offs in ascending order, and the held-out one; None if the history is too short.

    The outcome of each training cut-off is known before the held-out cut-off. So training has seen none of the data
    that it is judged on. If the history is too short for two horizons, half of the customers are held out at the same
    cut-off.
    """
    held_out = known.next_cutoff - timedelta(days=churn.horizon_days)
    last = held_out - timedelta(days=churn.horizon_days)
    wanted = [last - timedelta(days=churn.cutoff_step_days * step) for step in range(churn.training_cutoffs)]
    usable = sorted(day for day in wanted if (day - known.first).days >= churn.warm_up_days)
    if usable:
        return Split(usable, held_out, by_customer=False)
    if (held_out - known.first).days >= churn.warm_up_days:
        return Split([held_out], held_out, by_customer=True)
    return None


def held_out_half(customers: Sequence[str]) -> npt.NDArray[np.bool_]:
    """True for each customer who is held out. The hash of the customer decides, so the same customers, about half, are
    always chosen.
    """
    return np.array(
        [hashlib.md5(who.encode(), usedforsecurity=False).digest()[0] % 2 == 1 for who in customers], dtype=bool
    )


def part(frame: Frame, chosen: npt.NDArray[np.bool_]) -> Frame:
    """The rows of the frame for which `chosen` is true."""
    kept = np.flatnonzero(chosen)
    return Frame(
        [frame.customers[index] for index in kept],
        [frame.cutoffs[index] for index in kept],
        frame.raw[kept],
        frame.revenue[kept],
    )
