-- title: Orders of 30 days
-- tells: Orders by day, and how many are expected from their history.
-- source: snapshot
-- shape: line
select daily_revenue.order_date, daily_revenue.total_orders, round(data_anomalies.expected_order_count, 1) as expected
from gold.daily_revenue
left join gold.data_anomalies on daily_revenue.order_date = data_anomalies.order_date
where daily_revenue.order_date > $as_of_date - 30 and daily_revenue.order_date <= $as_of_date
order by daily_revenue.order_date
