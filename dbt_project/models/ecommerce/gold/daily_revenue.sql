{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        pre_hook=[
            "{{ drop_not_null('revenue_7d_avg') }}",
            "{{ drop_not_null('trading_days_7d') }}",
            "{{ drop_not_null('gross_revenue') }}",
            "{{ drop_not_null('net_revenue') }}",
        ],
        meta={
            'feeds': ['orders', 'order_items', 'exchange_rates'],
            'date_column': 'order_date',
            'spread_days': 6,
        },
    )
}}

-- A touched date also changes the average of the six days after it. This table has the other figures of those days.
{%- set touched = touched_dates() if is_incremental() else [] %}

with orders as (
    select
        order_date,
        count(*) as total_orders,
        sum(case when is_undone then 1 else 0 end) as undone_orders
    from {{ ref('fact_orders') }}
    {%- if is_incremental() %}
    where {{ date_predicate('order_date', touched) }}
    {%- endif %}
    group by order_date
),

items as (
    select
        order_date,
        count(distinct case when is_sale then order_id end) as sales_orders,
        count(distinct case when is_sale then customer_id end) as customers,
        sum(case when is_sale then 1 else 0 end) as sales_lines,
        sum(case when is_sale then quantity else 0 end) as units_sold,
        sum(case when is_sale then line_amount else 0 end) as gross_revenue,
        sum(net_amount) as net_revenue,
        {{ unconverted_lines() }} as unconverted_lines,
        sum(case when currency is null then 1 else 0 end) as unmatched_lines
    from {{ ref('fact_order_items') }}
    {%- if is_incremental() %}
    where {{ date_predicate('order_date', touched) }}
    {%- endif %}
    group by order_date
),

-- A day counts even if it has only lines or only orders.
days as (
    select
        coalesce(orders.order_date, items.order_date) as order_date,
        coalesce(orders.total_orders, 0) as total_orders,
        coalesce(orders.undone_orders, 0) as undone_orders,
        coalesce(items.sales_orders, 0) as sales_orders,
        coalesce(items.customers, 0) as customers,
        coalesce(items.sales_lines, 0) as sales_lines,
        coalesce(items.units_sold, 0) as units_sold,
        case when coalesce(items.unconverted_lines, 0) = 0 then coalesce(items.gross_revenue, 0) end as gross_revenue,
        case when coalesce(items.unconverted_lines, 0) = 0 then coalesce(items.net_revenue, 0) end as net_revenue,
        coalesce(items.unconverted_lines, 0) as unconverted_lines,
        coalesce(items.unmatched_lines, 0) as unmatched_lines
    from orders
    full outer join items on orders.order_date = items.order_date
),

around as (
    select * from days
    {%- if is_incremental() %}
    union all
    select
        order_date, total_orders, undone_orders, sales_orders, customers, sales_lines, units_sold, gross_revenue,
        net_revenue, unconverted_lines, unmatched_lines
    from {{ this }}
    where
        {{ date_predicate('order_date', widened(rebuilt_dates(), 6, 0)) }}
        and not ({{ date_predicate('order_date', touched) }})
    {%- endif %}
),

-- A day whose files have not arrived can have rows, because a later file can change its orders.
missing as (
    select business_date from {{ ref('int_delivered_days') }}
    where not is_complete
),

begun as (
    select min(business_date) as first_date from {{ ref('int_delivered_days') }}
),

traded as (
    select around.*
    from around
    cross join begun
    left join missing on around.order_date = missing.business_date
    where missing.business_date is null and around.order_date >= coalesce(begun.first_date, around.order_date)
),

-- The average over those of the last seven calendar days that were delivered and have data. A day without rows is left
-- out, because the shop was closed or the files are missing. It must not count as a day without revenue. If the revenue
-- of one day is unknown, the average is unknown.
averages as (
    select
        days_shown.order_date,
        count(*) as trading_days_7d,
        case when {{ all_known('days_before.gross_revenue') }} then sum(days_before.gross_revenue) end as revenue_7d
    from around as days_shown
    inner join traded as days_before
        on days_before.order_date
            between {{ days_later('days_shown.order_date', -6) }} and days_shown.order_date
    group by days_shown.order_date
)

select
    around.order_date,
    cast(around.total_orders as {{ dbt.type_bigint() }}) as total_orders,
    cast(around.undone_orders as {{ dbt.type_bigint() }}) as undone_orders,
    cast(around.sales_orders as {{ dbt.type_bigint() }}) as sales_orders,
    cast(around.customers as {{ dbt.type_bigint() }}) as customers,
    cast(around.sales_lines as {{ dbt.type_bigint() }}) as sales_lines,
    cast(around.units_sold as {{ dbt.type_bigint() }}) as units_sold,
    cast(around.gross_revenue as {{ money() }}) as gross_revenue,
    cast(around.net_revenue as {{ money() }}) as net_revenue,
    cast('{{ var('reporting_currency') }}' as {{ dbt.type_string() }}) as reporting_currency,
    cast(around.unconverted_lines as {{ dbt.type_bigint() }}) as unconverted_lines,
    cast(around.unmatched_lines as {{ dbt.type_bigint() }}) as unmatched_lines,
    {{ ratio('around.gross_revenue', 'around.sales_orders', 2) }} as average_order_value,
    {{ ratio('averages.revenue_7d', 'averages.trading_days_7d', 2) }} as revenue_7d_avg,
    cast(averages.trading_days_7d as {{ dbt.type_int() }}) as trading_days_7d,
    {{ as_of() }} as metric_updated_at
from around
left join averages on around.order_date = averages.order_date
{%- if is_incremental() %}
where {{ date_predicate('around.order_date', rebuilt_dates()) }}
{%- endif %}
