-- title: What moved the revenue
-- tells: Each of the last 14 days against the same weekday a week before: orders, mean order value, and what came of it.
-- source: snapshot
-- shape: table
select
    today.order_date,
    today.gross_revenue,
    today.gross_revenue - before.gross_revenue as change,
    round(100.0 * (today.gross_revenue / nullif(before.gross_revenue, 0) - 1), 1) as change_percent,
    today.total_orders,
    today.total_orders - before.total_orders as orders_change,
    today.average_order_value,
    today.average_order_value - before.average_order_value as order_value_change
from gold.daily_revenue as today
left join gold.daily_revenue as before on today.order_date = before.order_date + 7
where today.order_date > $as_of_date - 14 and today.order_date <= $as_of_date
order by today.order_date desc
