create or replace table gold.executive_summary as
with days as (select * from gold.daily_revenue where order_date <= $as_of_date::date),
newest as (select max(order_date) as data_through, min(order_date) as data_from from days),
periods as (
    select 'last_7_days' as period, data_through - 6 as period_start, data_through - 13 as previous_start, * from newest
    union all
    select 'last_30_days', data_through - 29, data_through - 59, * from newest
    union all
    select 'all_time', data_from, null, * from newest
),
totals as (
    select
        period, period_start, data_through, count(*) as trading_days, sum(total_orders)::bigint as total_orders,
        sum(undone_orders)::bigint as undone_orders, sum(sales_orders) as sales_orders,
        sum(units_sold)::bigint as units_sold, sum(gross_revenue) as gross_revenue, sum(net_revenue) as net_revenue
    from periods join days on order_date >= period_start
    group by all
),
previous as (
    select period, sum(gross_revenue) as gross_revenue, sum(total_orders) as total_orders
    from periods join days on order_date >= previous_start and order_date < period_start
    where previous_start >= data_from
    group by all
),
buyers as (
    select period, count(distinct customer_id) as active_customers
    from periods join silver.fact_order_items on order_date between period_start and data_through
    where is_sale
    group by all
)
select
    period, period_start, data_through, trading_days, totals.total_orders, undone_orders,
    coalesce(active_customers, 0) as active_customers, units_sold, totals.gross_revenue::decimal(18, 4) as gross_revenue,
    net_revenue::decimal(18, 4) as net_revenue,
    'USD' as reporting_currency,
    round(totals.gross_revenue::double / nullif(sales_orders, 0), 2)::decimal(18, 2) as average_order_value,
    previous.gross_revenue::decimal(18, 4) as previous_gross_revenue,
    round((totals.gross_revenue - previous.gross_revenue)::double / nullif(previous.gross_revenue, 0), 4)::decimal(18, 4)
        as revenue_growth,
    round((totals.total_orders - previous.total_orders)::double / nullif(previous.total_orders, 0), 4)::decimal(18, 4)
        as orders_growth,
    $as_of::timestamp as metric_updated_at
from totals
left join previous using (period)
left join buyers using (period);
