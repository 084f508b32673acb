{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['orders', 'order_items', 'web_events', 'exchange_rates']},
    )
}}

with orders as (
    select
        customer_id,
        business_date,
        count(*) as orders,
        sum(case when is_undone then 1 else 0 end) as undone_orders
    from {{ ref('fact_orders') }}
    where customer_id is not null and {{ in_touched_dates('business_date') }}
    group by customer_id, business_date
),

items as (
    select
        customer_id,
        business_date,
        count(distinct case when is_sale then order_id end) as sales_orders,
        sum(case when is_sale then quantity else 0 end) as units,
        sum(case when is_sale then line_amount else 0 end) as gross_revenue,
        sum(net_amount) as net_revenue,
        {{ unconverted_lines() }} as unconverted_lines
    from {{ ref('fact_order_items') }}
    where customer_id is not null and {{ in_touched_dates('business_date') }}
    group by customer_id, business_date
),

events as (
    select
        customer_id,
        business_date,
        count(*) as web_events,
        sum(case when event_type = 'product_view' then 1 else 0 end) as product_views,
        sum(case when event_type = 'add_to_cart' then 1 else 0 end) as cart_additions
    from {{ ref('fact_web_events') }}
    where customer_id is not null and {{ in_touched_dates('business_date') }}
    group by customer_id, business_date
),

stacked as (
    select
        customer_id, business_date, orders, undone_orders, 0 as sales_orders, 0 as units, 0 as gross_revenue,
        0 as net_revenue, 0 as unconverted_lines, 0 as web_events, 0 as product_views, 0 as cart_additions
    from orders
    union all
    select customer_id, business_date, 0, 0, sales_orders, units, gross_revenue, net_revenue, unconverted_lines, 0, 0, 0
    from items
    union all
    select customer_id, business_date, 0, 0, 0, 0, 0, 0, 0, web_events, product_views, cart_additions
    from events
)

select
    customer_id,
    cast(sum(orders) as {{ dbt.type_int() }}) as orders,
    cast(sum(undone_orders) as {{ dbt.type_int() }}) as undone_orders,
    cast(sum(sales_orders) as {{ dbt.type_int() }}) as sales_orders,
    cast(sum(units) as {{ dbt.type_bigint() }}) as units,
    cast(case when sum(unconverted_lines) = 0 then sum(gross_revenue) end as {{ money() }}) as gross_revenue,
    cast(case when sum(unconverted_lines) = 0 then coalesce(sum(net_revenue), 0) end as {{ money() }}) as net_revenue,
    cast(sum(unconverted_lines) as {{ dbt.type_int() }}) as unconverted_lines,
    cast(sum(web_events) as {{ dbt.type_int() }}) as web_events,
    cast(sum(product_views) as {{ dbt.type_int() }}) as product_views,
    cast(sum(cart_additions) as {{ dbt.type_int() }}) as cart_additions,
    business_date,
    {{ as_of() }} as dbt_updated_at
from stacked
group by customer_id, business_date
