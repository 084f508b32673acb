-- title: Recent anomalies
-- tells: Days of the last 7 whose orders or revenue lie outside of the range that is expected from their history.
select
    order_date,
    order_count,
    round(revenue, 2) as revenue,
    round(orders_z_score, 2) as orders_zscore,
    round(revenue_z_score, 2) as revenue_zscore,
    status
from gold.data_anomalies
where
    order_date >= $as_of_date - 7
    and order_date <= $as_of_date
    and status = 'Anomaly Detected'
order by order_date desc;
