create or replace table gold.customer_metrics as
with orders as (
    select customer_id, count(*) as total_orders, count(*) filter (is_undone) as undone_orders
    from silver.fact_orders where customer_id is not null group by all
),
items as (
    select
        customer_id,
        count(distinct order_id) filter (is_sale) as sales_orders,
        sum(quantity) filter (is_sale) as units_bought,
        if(count(*) filter (currency is not null and exchange_rate is null) = 0, coalesce(sum(line_amount) filter (is_sale), 0), null) as gross_revenue,
        if(count(*) filter (currency is not null and exchange_rate is null) = 0, coalesce(sum(net_amount), 0), null) as net_revenue, true as has_lines,
        min(order_date) filter (is_sale) as first_order_date,
        max(order_date) filter (is_sale) as last_order_date
    from silver.fact_order_items where customer_id is not null group by all
),
events as (
    select
        customer_id, count(*) as web_events, count(*) filter (event_type = 'product_view') as product_views,
        count(*) filter (event_type = 'add_to_cart') as cart_additions, max(event_date) as last_seen_date
    from silver.fact_web_events where customer_id is not null group by all
)
select
    customer_id, dim.country, dim.loyalty_tier, dim.signup_date,
    coalesce(total_orders, 0) as total_orders, coalesce(undone_orders, 0) as undone_orders,
    coalesce(sales_orders, 0) as sales_orders, coalesce(units_bought, 0)::bigint as units_bought,
    if(has_lines, gross_revenue, 0)::decimal(18, 4) as gross_revenue, if(has_lines, net_revenue, 0)::decimal(18, 4) as net_revenue,
    'USD' as reporting_currency,
    round(gross_revenue::double / nullif(sales_orders, 0), 2)::decimal(18, 2) as average_order_value,
    round(undone_orders::double / nullif(total_orders, 0), 4)::decimal(18, 4) as undone_order_share,
    first_order_date, last_order_date, ($as_of_date::date - last_order_date)::integer as days_since_last_order,
    coalesce(web_events, 0) as web_events, coalesce(product_views, 0) as product_views,
    coalesce(cart_additions, 0) as cart_additions, last_seen_date, $as_of::timestamp as metric_updated_at
from (select * from silver.dim_customers where is_current) as dim
full join orders using (customer_id)
full join items using (customer_id)
full join events using (customer_id);
