create or replace table gold.product_performance as
with items as (
    select
        product_id,
        count(distinct order_id) filter (is_sale) as sales_orders,
        sum(quantity) filter (is_sale) as units_sold,
        -sum(quantity) filter (quantity < 0) as units_returned,
        if(count(*) filter (currency is not null and exchange_rate is null) = 0, coalesce(sum(line_amount) filter (is_sale), 0), null) as gross_revenue,
        if(count(*) filter (currency is not null and exchange_rate is null) = 0, coalesce(sum(net_amount), 0), null) as net_revenue, true as has_lines,
        min(order_date) filter (is_sale) as first_sold_date,
        max(order_date) filter (is_sale) as last_sold_date
    from silver.fact_order_items group by all
),
events as (
    select
        product_id, count(*) filter (event_type = 'product_view') as product_views,
        count(*) filter (event_type = 'add_to_cart') as cart_additions
    from silver.fact_web_events where product_id is not null group by all
),
joined as (
    select
        product_id, product_name, category, subcategory, brand, list_price, unit_cost, is_active,
        coalesce(sales_orders, 0) as sales_orders, coalesce(units_sold, 0)::bigint as units_sold,
        coalesce(units_returned, 0)::bigint as units_returned, if(has_lines, gross_revenue, 0) as gross_revenue,
        if(has_lines, net_revenue, 0) as net_revenue, coalesce(product_views, 0) as product_views,
        coalesce(cart_additions, 0) as cart_additions, first_sold_date, last_sold_date
    from (select * from silver.dim_products where is_current) as dim
    full join items using (product_id)
    full join events using (product_id)
)
select
    product_id, product_name, category, subcategory, brand, list_price::decimal(18, 4) as list_price,
    unit_cost::decimal(18, 4) as unit_cost, is_active, sales_orders, units_sold, units_returned,
    gross_revenue::decimal(18, 4) as gross_revenue, net_revenue::decimal(18, 4) as net_revenue,
    'USD' as reporting_currency,
    round(gross_revenue::double / nullif(units_sold, 0), 2)::decimal(18, 2) as average_selling_price,
    round((gross_revenue - units_sold * unit_cost)::double / nullif(gross_revenue, 0), 4)::decimal(18, 4) as gross_margin,
    product_views, cart_additions,
    round(cart_additions::double / nullif(product_views, 0), 4)::decimal(18, 4) as cart_rate,
    first_sold_date, last_sold_date,
    case when gross_revenue > 0 then rank() over (order by gross_revenue desc) end as revenue_rank,
    $as_of::timestamp as metric_updated_at
from joined;
