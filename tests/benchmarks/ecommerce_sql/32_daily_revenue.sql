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
        count(*) filter (currency is not null and exchange_rate is null) as unconverted_lines,
        count(*) filter (currency is null) as unmatched_lines,
        if(unconverted_lines = 0, coalesce(sum(line_amount) filter (is_sale), 0), null) as gross_revenue,
        if(unconverted_lines = 0, coalesce(sum(net_amount), 0), null) as net_revenue
    from silver.fact_order_items group by all
)
select
    order_date, coalesce(total_orders, 0) as total_orders, coalesce(undone_orders, 0) as undone_orders,
    coalesce(sales_orders, 0) as sales_orders, coalesce(customers, 0) as customers,
    coalesce(sales_lines, 0) as sales_lines, coalesce(units_sold, 0)::bigint as units_sold,
    if(has_lines, gross_revenue, 0)::decimal(18, 4) as gross_revenue,
    if(has_lines, net_revenue, 0)::decimal(18, 4) as net_revenue, 'USD' as reporting_currency,
    coalesce(unconverted_lines, 0) as unconverted_lines, coalesce(unmatched_lines, 0) as unmatched_lines,
    round(gross_revenue::double / nullif(sales_orders, 0), 2)::decimal(18, 2) as average_order_value,
    round(sum(if(has_lines, gross_revenue, 0)) over week::double / count(*) over week, 2)::decimal(18, 2) as revenue_7d_avg,
    (count(*) over week)::integer as trading_days_7d,
    $as_of::timestamp as metric_updated_at
from orders
full join (select *, true as has_lines from items) as items using (order_date)
window week as (order by order_date range between interval 6 days preceding and current row);
