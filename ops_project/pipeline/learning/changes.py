"""Finds changes to a customer's earlier days that came with files of later days. An order may be cancelled, corrected,
moved to another date or customer, or come late. Events of the web site may be corrected or come late.

silver.int_customer_days holds what is known today. If the later changes are subtracted, the rest is what was known on a
past day. The date of a file counts, and not the time of its arrival. So a replay of the same files gives the same
result.
"""

from __future__ import annotations

import duckdb

VIEW = "customer_day_changes"
"""One row per customer, business_date and known_on. known_on is the date of the file that brought the change, and it is
later than business_date. The other columns are differences from what was known before:

- orders, undone_orders, sales_orders and product_views: counts.
- gross_revenue: in the reporting currency, at the rates of today; NULL without a rate.
"""
_SQL = """
with files as (
    select batch_id as _of_batch, business_date as _file_date, part as _file_part
    from ops.batches
),

heads as (
    select
        orders.*,
        files._file_date,
        files._file_part
    from bronze.orders as orders
    left join files on orders._batch_id = files._of_batch
),

lines as (
    select
        items.*,
        files._file_date,
        files._file_part
    from bronze.order_items as items
    left join files on items._batch_id = files._of_batch
),

events as (
    select
        web_events.*,
        files._file_date,
        files._file_part
    from bronze.web_events as web_events
    left join files on web_events._batch_id = files._of_batch
),

told as (
    select order_id, business_date, _file_date from heads
    union all
    select order_id, business_date, _file_date from lines
),

-- Only records that a file of a later day mentions. All others were known on their day as they are known today.
later_orders as (
    select order_id
    from told
    group by order_id
    having max(_file_date) > min(business_date)
),

later_events as (
    select event_id
    from events
    group by event_id
    having max(_file_date) > min(business_date)
),

-- An order has one state from each file date that mentions it until the next one.
order_moments as (
    select
        told.order_id,
        told._file_date as known_on,
        lead(told._file_date) over (partition by told.order_id order by told._file_date) as known_until
    from told
    inner join later_orders on told.order_id = later_orders.order_id
    group by told.order_id, told._file_date
),

event_moments as (
    select
        events.event_id,
        events._file_date as known_on,
        lead(events._file_date) over (partition by events.event_id order by events._file_date) as known_until
    from events
    inner join later_events on events.event_id = later_events.event_id
    group by events.event_id, events._file_date
),

heads_then as (
    select
        order_moments.known_on,
        order_moments.known_until,
        heads.order_id,
        heads.customer_id,
        heads.business_date,
        heads.currency,
        heads.status in ('cancelled', 'returned') as is_undone,
        row_number() over (
            partition by heads.order_id, order_moments.known_on
            order by {newest_order}
        ) as place
    from order_moments
    inner join heads on order_moments.order_id = heads.order_id and order_moments.known_on >= heads._file_date
),

lines_then as (
    select
        order_moments.known_on,
        lines.order_id,
        lines.quantity,
        lines.unit_price,
        {line_place} as place
    from order_moments
    inner join lines on order_moments.order_id = lines.order_id and order_moments.known_on >= lines._file_date
),

foreign_days as (
    select distinct currency, business_date from heads_then
    where place = 1 and currency <> '{reporting_currency}'
),

-- The same choice as in silver.fact_orders: the rate of the day, or else the newest earlier one that is still valid.
rates as (
    select
        foreign_days.currency,
        foreign_days.business_date,
        max_by(published.exchange_rate, published.rate_date) as exchange_rate
    from foreign_days
    inner join silver.fact_exchange_rates as published
        on
            foreign_days.currency = published.currency
            and published.rate_date <= foreign_days.business_date
            and published.rate_date >= foreign_days.business_date - {valid_days}
    group by foreign_days.currency, foreign_days.business_date
),

sales_then as (
    select
        heads_then.order_id,
        heads_then.known_on,
        sum(cast(
            cast(lines_then.quantity * lines_then.unit_price as decimal(18, 4))
            * case when heads_then.currency = '{reporting_currency}' then 1 else rates.exchange_rate end
            as decimal(18, 4)
        )) as gross_revenue,
        bool_or(heads_then.currency <> '{reporting_currency}' and rates.exchange_rate is null) as is_unknown
    from lines_then
    inner join heads_then
        on lines_then.order_id = heads_then.order_id and lines_then.known_on = heads_then.known_on
    left join rates on heads_then.currency = rates.currency and heads_then.business_date = rates.business_date
    where heads_then.place = 1 and lines_then.place = 1 and lines_then.quantity > 0 and lines_then.unit_price > 0
    group by heads_then.order_id, heads_then.known_on
),

events_then as (
    select
        event_moments.known_on,
        event_moments.known_until,
        events.customer_id,
        events.business_date,
        events.event_type,
        row_number() over (
            partition by events.event_id, event_moments.known_on
            order by {newest_event}
        ) as place
    from event_moments
    inner join events on event_moments.event_id = events.event_id and event_moments.known_on >= events._file_date
),

states as (
    select
        heads_then.customer_id,
        heads_then.business_date,
        heads_then.known_on,
        heads_then.known_until,
        1 as orders,
        case when heads_then.is_undone then 1 else 0 end as undone_orders,
        case when sales_then.order_id is null then 0 else 1 end as sales_orders,
        case when sales_then.is_unknown then null else coalesce(sales_then.gross_revenue, 0) end as gross_revenue,
        0 as product_views
    from heads_then
    left join sales_then
        on heads_then.order_id = sales_then.order_id and heads_then.known_on = sales_then.known_on
    where heads_then.place = 1
    union all
    select
        customer_id,
        business_date,
        known_on,
        known_until,
        0 as orders,
        0 as undone_orders,
        0 as sales_orders,
        0 as gross_revenue,
        case when event_type = 'product_view' then 1 else 0 end as product_views
    from events_then
    where place = 1
),

-- A state is added on the date from which it is known, and subtracted on the date from which the next one is known.
signed as (
    select customer_id, business_date, known_on, orders, undone_orders, sales_orders, gross_revenue, product_views
    from states
    union all
    select
        customer_id, business_date, known_until, -orders, -undone_orders, -sales_orders, -gross_revenue, -product_views
    from states
    where known_until is not null
)

select
    customer_id,
    business_date,
    known_on,
    cast(sum(orders) as integer) as orders,
    cast(sum(undone_orders) as integer) as undone_orders,
    cast(sum(sales_orders) as integer) as sales_orders,
    cast(case when count(gross_revenue) = count(*) then sum(gross_revenue) end as decimal(18, 4)) as gross_revenue,
    cast(sum(product_views) as integer) as product_views
from signed
where customer_id is not null and known_on > business_date
group by customer_id, business_date, known_on
having
    sum(orders) <> 0 or sum(undone_orders) <> 0 or sum(sales_orders) <> 0 or sum(gross_revenue) <> 0
    or sum(product_views) <> 0 or count(gross_revenue) < count(*)
"""
_FILES = ["_file_date desc nulls last", "_file_part desc nulls last", "_load_seq desc"]


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary view VIEW over bronze. If a record was delivered several times, the contracts say which
    delivery is the newest.
    """
    contracts = {
        feed: (replaces_by, latest_by)
        for feed, replaces_by, latest_by in connection.execute(
            "select feed, replaces_by, latest_by from ops.feeds"
        ).fetchall()
    }

    def newest(feed: str, *, lines: bool = True) -> str:
        _, latest_by = contracts.get(feed, (None, None))
        said = [f"{column} desc nulls last" for column in (latest_by or "").split(",") if column]
        return ", ".join([*said, *_FILES, *(["_line desc"] if lines else [])])

    currencies = connection.execute("select any_value(reporting_currency) from ops.build_currencies").fetchone()
    days = connection.execute("select max(days) from ops.valid_days where feed = 'exchange_rates'").fetchone()
    replaces_by, _ = contracts.get("order_items", (None, None))
    function, key = ("rank", "") if replaces_by else ("row_number", "lines.line_number, ")
    order = newest("order_items", lines=not replaces_by)
    place = f"{function}() over (partition by lines.order_id, {key}order_moments.known_on order by {order})"
    sql = _SQL.format(
        newest_order=newest("orders"),
        newest_event=newest("web_events"),
        line_place=place,
        reporting_currency=(currencies and currencies[0]) or "USD",
        valid_days=int((days and days[0]) or 0),
    )
    connection.execute(f"create or replace temp view {VIEW} as {sql}")
