{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['orders', 'order_items', 'web_events', 'exchange_rates']},
    )
}}

with items as (
    select
        product_id,
        business_date,
        count(distinct case when is_sale then order_id end) as sales_orders,
        sum(case when is_sale then quantity else 0 end) as units,
        sum(greatest(-quantity, 0)) as units_returned,
        sum(case when is_sale then line_amount else 0 end) as gross_revenue,
        sum(net_amount) as net_revenue,
        {{ unconverted_lines() }} as unconverted_lines
    from {{ ref('fact_order_items') }}
    where product_id is not null and {{ in_touched_dates('business_date') }}
    group by product_id, business_date
),

events as (
    select
        product_id,
        business_date,
        sum(case when event_type = 'product_view' then 1 else 0 end) as product_views,
        sum(case when event_type = 'add_to_cart' then 1 else 0 end) as cart_additions
    from {{ ref('fact_web_events') }}
    where product_id is not null and {{ in_touched_dates('business_date') }}
    group by product_id, business_date
),

stacked as (
    select
        product_id, business_date, sales_orders, units, units_returned, gross_revenue, net_revenue,
        unconverted_lines, 0 as product_views, 0 as cart_additions
    from items
    union all
    select product_id, business_date, 0, 0, 0, 0, 0, 0, product_views, cart_additions
    from events
)

select
    product_id,
    cast(sum(sales_orders) as {{ dbt.type_int() }}) as sales_orders,
    cast(sum(units) as {{ dbt.type_bigint() }}) as units,
    cast(sum(units_returned) as {{ dbt.type_bigint() }}) as units_returned,
    cast(case when sum(unconverted_lines) = 0 then sum(gross_revenue) end as {{ money() }}) as gross_revenue,
    cast(case when sum(unconverted_lines) = 0 then coalesce(sum(net_revenue), 0) end as {{ money() }}) as net_revenue,
    cast(sum(unconverted_lines) as {{ dbt.type_int() }}) as unconverted_lines,
    cast(sum(product_views) as {{ dbt.type_int() }}) as product_views,
    cast(sum(cart_additions) as {{ dbt.type_int() }}) as cart_additions,
    business_date,
    {{ as_of() }} as dbt_updated_at
from stacked
group by product_id, business_date
