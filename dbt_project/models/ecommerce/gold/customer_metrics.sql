{{ config(materialized='table') }}

with customers as (
    select customer_id, country, loyalty_tier, signup_date
    from {{ ref('dim_customers') }}
    where is_current
),

days as (
    select * from {{ ref('int_customer_days') }}
),

totals as (
    select
        customer_id,
        sum(orders) as total_orders,
        sum(undone_orders) as undone_orders,
        sum(sales_orders) as sales_orders,
        sum(units) as units_bought,
        case when {{ all_known('gross_revenue') }} then sum(gross_revenue) end as gross_revenue,
        case when {{ all_known('net_revenue') }} then sum(net_revenue) end as net_revenue,
        sum(web_events) as web_events,
        sum(product_views) as product_views,
        sum(cart_additions) as cart_additions,
        min(case when sales_orders > 0 then business_date end) as first_order_date,
        max(case when sales_orders > 0 then business_date end) as last_order_date,
        max(case when web_events > 0 then business_date end) as last_seen_date
    from days
    group by customer_id
)

select
    coalesce(customers.customer_id, totals.customer_id) as customer_id,
    customers.country,
    customers.loyalty_tier,
    customers.signup_date,
    cast(coalesce(totals.total_orders, 0) as {{ dbt.type_bigint() }}) as total_orders,
    cast(coalesce(totals.undone_orders, 0) as {{ dbt.type_bigint() }}) as undone_orders,
    cast(coalesce(totals.sales_orders, 0) as {{ dbt.type_bigint() }}) as sales_orders,
    cast(coalesce(totals.units_bought, 0) as {{ dbt.type_bigint() }}) as units_bought,
    -- A customer without any day has bought nothing. If the amount of a day is unknown, the sum is unknown.
    cast(case when totals.customer_id is null then 0 else totals.gross_revenue end as {{ money() }}) as gross_revenue,
    cast(case when totals.customer_id is null then 0 else totals.net_revenue end as {{ money() }}) as net_revenue,
    cast('{{ var('reporting_currency') }}' as {{ dbt.type_string() }}) as reporting_currency,
    {{ ratio('totals.gross_revenue', 'totals.sales_orders', 2) }} as average_order_value,
    {{ ratio('totals.undone_orders', 'totals.total_orders') }} as undone_order_share,
    totals.first_order_date,
    totals.last_order_date,
    cast({{ dbt.datediff('totals.last_order_date', as_of_date(), 'day') }} as {{ dbt.type_int() }}) as days_since_last_order,
    cast(coalesce(totals.web_events, 0) as {{ dbt.type_bigint() }}) as web_events,
    cast(coalesce(totals.product_views, 0) as {{ dbt.type_bigint() }}) as product_views,
    cast(coalesce(totals.cart_additions, 0) as {{ dbt.type_bigint() }}) as cart_additions,
    totals.last_seen_date,
    {{ as_of() }} as metric_updated_at
from customers
full outer join totals on customers.customer_id = totals.customer_id
