{{ config(materialized='table') }}

with products as (
    select product_id, product_name, category, subcategory, brand, list_price, unit_cost, is_active
    from {{ ref('dim_products') }}
    where is_current
),

totals as (
    select
        product_id,
        sum(sales_orders) as sales_orders,
        sum(units) as units_sold,
        sum(units_returned) as units_returned,
        case when {{ all_known('gross_revenue') }} then sum(gross_revenue) end as gross_revenue,
        case when {{ all_known('net_revenue') }} then sum(net_revenue) end as net_revenue,
        sum(product_views) as product_views,
        sum(cart_additions) as cart_additions,
        min(case when units > 0 then business_date end) as first_sold_date,
        max(case when units > 0 then business_date end) as last_sold_date
    from {{ ref('int_product_days') }}
    group by product_id
),

performance as (
    select
        coalesce(products.product_id, totals.product_id) as product_id,
        products.product_name,
        products.category,
        products.subcategory,
        products.brand,
        products.list_price,
        products.unit_cost,
        products.is_active,
        coalesce(totals.sales_orders, 0) as sales_orders,
        coalesce(totals.units_sold, 0) as units_sold,
        coalesce(totals.units_returned, 0) as units_returned,
        -- A product without any day was not sold. If the amount of a day is unknown, the sum is unknown.
        case when totals.product_id is null then 0 else totals.gross_revenue end as gross_revenue,
        case when totals.product_id is null then 0 else totals.net_revenue end as net_revenue,
        coalesce(totals.product_views, 0) as product_views,
        coalesce(totals.cart_additions, 0) as cart_additions,
        totals.first_sold_date,
        totals.last_sold_date
    from products
    full outer join totals on products.product_id = totals.product_id
)

select
    product_id,
    product_name,
    category,
    subcategory,
    brand,
    cast(list_price as decimal(18, 4)) as list_price,
    cast(unit_cost as decimal(18, 4)) as unit_cost,
    is_active,
    cast(sales_orders as {{ dbt.type_bigint() }}) as sales_orders,
    cast(units_sold as {{ dbt.type_bigint() }}) as units_sold,
    cast(units_returned as {{ dbt.type_bigint() }}) as units_returned,
    cast(gross_revenue as {{ money() }}) as gross_revenue,
    cast(net_revenue as {{ money() }}) as net_revenue,
    cast('{{ var('reporting_currency') }}' as {{ dbt.type_string() }}) as reporting_currency,
    {{ ratio('gross_revenue', 'units_sold', 2) }} as average_selling_price,
    -- The share of the revenue that remains after the present cost of the units. NULL if the cost is unknown.
    {{ ratio('gross_revenue - units_sold * unit_cost', 'gross_revenue') }} as gross_margin,
    cast(product_views as {{ dbt.type_bigint() }}) as product_views,
    cast(cart_additions as {{ dbt.type_bigint() }}) as cart_additions,
    {{ ratio('cart_additions', 'product_views') }} as cart_rate,
    first_sold_date,
    last_sold_date,
    cast(
        case when gross_revenue > 0 then rank() over (order by gross_revenue desc) end as {{ dbt.type_bigint() }}
    ) as revenue_rank,
    {{ as_of() }} as metric_updated_at
from performance
