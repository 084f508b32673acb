-- title: Anomalous days
-- tells: Days of the last 60 on which orders or revenue lie outside of the range that is expected from their history.
-- source: snapshot
-- shape: table
select order_date, order_count, expected_order_count, revenue, expected_revenue, orders_z_score, revenue_z_score
from gold.data_anomalies
where order_date > $as_of_date - 60 and order_date <= $as_of_date and status = 'Anomaly Detected'
order by order_date desc
