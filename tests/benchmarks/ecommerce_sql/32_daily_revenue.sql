create or replace table gold.daily_revenue as
with orders as (
    select order_date, count(*) as total_orders, count(*) filter (is_undone) as undone_orders
    from silver.fact_orders group by all
),
items as (
    select
        order_date,
        count(distinct order_id) filter (is_sale) as sales_orders,
        count(distinct customer_id) filter (is_sale) as customers,
        count(*) filter (is_sale) as sales_lines,
        coalesce(sum(quantity) filter (is_sale), 0) as units_sold,
        coalesce(sum(line_amount) filter (is_sale), 0) as gross_revenue,
        sum(net_amount) as net_revenue
    from silver.fact_order_items group by all
)
select
    order_date, coalesce(total_orders, 0) as total_orders, coalesce(undone_orders, 0) as undone_orders,
    coalesce(sales_orders, 0) as sales_orders, coalesce(customers, 0) as customers,
    coalesce(sales_lines, 0) as sales_lines, coalesce(units_sold, 0)::bigint as units_sold,
    coalesce(gross_revenue, 0)::decimal(18, 4) as gross_revenue, coalesce(net_revenue, 0)::decimal(18, 4) as net_revenue,
    round(gross_revenue::double / nullif(sales_orders, 0), 2)::decimal(18, 2) as average_order_value,
    round(sum(coalesce(gross_revenue, 0)) over week::double / count(*) over week, 2)::decimal(18, 2) as revenue_7d_avg,
    (count(*) over week)::integer as trading_days_7d,
    $as_of::timestamp as metric_updated_at
from orders
full join items using (order_date)
window week as (order by order_date range between interval 6 days preceding and current row);
