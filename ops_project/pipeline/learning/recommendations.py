"""Recommends products that are bought or viewed together. The score is the item-to-item cosine over baskets, computed
in SQL. There is no matrix of products × products: only pairs that occur are stored.

The evaluation imitates real use. One item of a held-out basket is shown, and a hit is another item of the basket among
the k recommended ones. The result is compared with the "most popular" products, which need no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np

from ops_project.model.learning import Recommendations
from ops_project.pipeline.learning.judge.metrics import Floats

# Postage and manual adjustments must not be recommended. A source with such lines puts them into this category.
EXCLUDED_CATEGORY = "other"
EVALUATED_BASKETS = 5_000
ITEMS, PAIRS, SCORES, PRODUCTS = "rec_items", "rec_pairs", "rec_scores", "rec_products"
# The baskets of start ≤ day < end. `lines` are all lines that were bought. `sized` contains only products that may be
# recommended, and the size of the basket of each line.
BASKETS = f"""
        lines as (
            select distinct order_id, product_id
            from silver.fact_order_items
            where is_sale and order_date >= ? and order_date < ?
        ),

        sized as (
            select order_id, product_id, count(*) over (partition by order_id) as items
            from lines
            semi join {PRODUCTS} using (product_id)
        )"""


@dataclass(frozen=True)
class Evaluation:
    """The result for each held-out basket.

    `hits`: 1 if another product of the basket is among the k recommended products.
    `popular_hits`: 1 if another product of the basket is among the k most popular products.
    """

    hits: Floats
    popular_hits: Floats
    k: int

    @property
    def hit_rate(self) -> float:
        return float(self.hits.mean()) if len(self.hits) else 0.0

    @property
    def popular_hit_rate(self) -> float:
        return float(self.popular_hits.mean()) if len(self.popular_hits) else 0.0


def build(connection: duckdb.DuckDBPyConnection, parameters: Recommendations, start: date, end: date) -> int:
    """Fill the temporary table of recommendations from the dates start ≤ day < end. Returns the number of baskets that
    were used.
    """
    connection.execute(
        f"""
        create or replace temp table {PRODUCTS} as
        select product_id, any_value(product_name) as product_name
        from silver.dim_products
        where is_current and coalesce(is_active, true) and coalesce(category, '') <> '{EXCLUDED_CATEGORY}'
        group by product_id
        """
    )
    # Each order id is replaced by a number. Numbers make the expensive self-join below faster.
    connection.execute(
        f"""
        create or replace temp table {ITEMS} as
        with {BASKETS}

        select dense_rank() over (order by order_id)::integer as basket, product_id, items
        from sized
        where items <= {parameters.max_basket}
        """,
        [start, end],
    )
    connection.execute(_pairs_sql(ITEMS, "bought", parameters.min_support))
    if parameters.view_weight:
        _add_views(connection, parameters, start, end)
    connection.execute(
        f"""
        create or replace temp table {SCORES} as
        with seen as (
            select product_id, count(*) as baskets
            from {ITEMS}
            group by product_id
        ),

        both_ways as (
            select one, other, bought, viewed from {PAIRS}
            union all
            select other, one, bought, viewed from {PAIRS}
        ),

        scored as (
            select
                both_ways.one as product_id,
                both_ways.other as recommended_product_id,
                both_ways.bought as support,
                both_ways.bought / sqrt((left_seen.baskets + {parameters.shrinkage})
                    * (right_seen.baskets + {parameters.shrinkage}))
                + {parameters.view_weight} * coalesce(both_ways.viewed, 0) as score
            from both_ways
            inner join seen as left_seen on left_seen.product_id = both_ways.one
            inner join seen as right_seen on right_seen.product_id = both_ways.other
        )

        select
            *,
            row_number() over (
                partition by product_id order by score desc, support desc, recommended_product_id
            ) as place
        from scored
        qualify place <= {parameters.per_product}
        """
    )
    row = connection.execute(f"select count(distinct basket) from {ITEMS}").fetchone()
    return int(row[0]) if row else 0


def _pairs_sql(items: str, count: str, minimum: int) -> str:
    return f"""
        create or replace temp table {PAIRS} as
        select mine.product_id as one, theirs.product_id as other, count(*) as {count}, cast(null as double) as viewed
        from {items} as mine
        inner join {items} as theirs on mine.basket = theirs.basket and mine.product_id < theirs.product_id
        group by all
        having count(*) >= {minimum}
    """


def _add_views(connection: duckdb.DuckDBPyConnection, parameters: Recommendations, start: date, end: date) -> None:
    """Add the cosine over visits to the pairs that are bought together. Views change the order of pairs, but add no
    pairs.
    """
    connection.execute(
        """
        create or replace temp table rec_views as
        with views as (
            select distinct session_id, product_id
            from silver.fact_web_events
            where
                event_type = 'product_view'
                and product_id is not null
                and event_date >= greatest(?::date, ?::date - 30)
                and event_date < ?
        )

        select dense_rank() over (order by session_id)::integer as basket, product_id
        from views
        qualify count(*) over (partition by session_id) between 2 and 20
        """,
        [start, end, end],
    )
    connection.execute(
        f"""
        create or replace temp table {PAIRS} as
        with seen as (select product_id, count(*) as visits from rec_views group by product_id),

        together as (
            select mine.product_id as one, theirs.product_id as other, count(*) as visits
            from rec_views as mine
            inner join rec_views as theirs on mine.basket = theirs.basket and mine.product_id < theirs.product_id
            group by all
        )

        select
            pairs.one,
            pairs.other,
            pairs.bought,
            together.visits / sqrt((left_seen.visits + {parameters.shrinkage})
                * (right_seen.visits + {parameters.shrinkage})) as viewed
        from {PAIRS} as pairs
        left join together on together.one = pairs.one and together.other = pairs.other
        left join seen as left_seen on left_seen.product_id = pairs.one
        left join seen as right_seen on right_seen.product_id = pairs.other
        """
    )


def evaluate(connection: duckdb.DuckDBPyConnection, parameters: Recommendations, end: date) -> Evaluation:
    """Build the recommendations from the days before the held-out days, and test them on baskets of the held-out days.
    At most 5,000 baskets are tested. They are always the same ones.
    """
    held_out = end - timedelta(days=parameters.holdout_days)
    build(connection, parameters, held_out - timedelta(days=parameters.lookback_days), held_out)
    k = parameters.per_product
    rows = connection.execute(
        f"""
        with {BASKETS},

        -- Chosen by hash and not at random, so that the baskets and the shown items are the same every time.
        shown as (
            select order_id, arg_min(product_id, md5(order_id || '|' || product_id)) as product_id
            from sized
            where items between 2 and {parameters.max_basket}
            group by order_id
            order by md5(order_id)
            limit {EVALUATED_BASKETS}
        ),

        popular as (
            select product_id, row_number() over (order by count(*) desc, product_id) as place
            from {ITEMS}
            group by product_id
        ),

        asked as (
            select shown.order_id, shown.product_id as shown, lines.product_id as wanted
            from shown
            inner join lines on lines.order_id = shown.order_id and lines.product_id <> shown.product_id
        )

        select
            asked.order_id,
            max(case when {SCORES}.place is not null then 1 else 0 end),
            max(case when popular.place <= {k} + case when mine.place <= {k} then 1 else 0 end then 1 else 0 end)
        from asked
        left join {SCORES} on {SCORES}.product_id = asked.shown and {SCORES}.recommended_product_id = asked.wanted
        left join popular on popular.product_id = asked.wanted
        left join popular as mine on mine.product_id = asked.shown
        group by asked.order_id
        order by asked.order_id
        """,
        [held_out, end],
    ).fetchall()
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 2)
    return Evaluation(values[:, 0], values[:, 1], k)
