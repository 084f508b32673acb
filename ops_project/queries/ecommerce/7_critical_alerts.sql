-- title: Critical alerts
-- tells: What needs attention at once: tables over 48 h old, scores below 70, anomalies since yesterday, high churn risk.
-- optional: gold.customer_churn_predictions (customer_id varchar, churn_risk varchar, churn_probability double)
with stale as (
    select 'bronze.customers' as table_name
    from bronze.customers
    having date_diff('second', max(ingestion_timestamp), $as_of) > 48 * 3600
    union all
    select 'bronze.orders'
    from bronze.orders
    having date_diff('second', max(ingestion_timestamp), $as_of) > 48 * 3600
)

select
    'Stale Tables' as alert_type,
    'HIGH' as severity,
    count(*) as count,
    coalesce(string_agg(table_name, ', '), '') as details
from stale
union all
select
    'Low Quality Tables',
    'HIGH',
    count(*),
    coalesce(string_agg(concat(layer, '.', table_name), ', '), '')
from gold.data_quality_metrics
where quality_score < 70 and domain = 'ecommerce'
union all
select 'Recent Anomalies', 'MEDIUM', count(*), concat(count(*), ' anomalies detected')
from gold.data_anomalies
where order_date between $as_of_date - 1 and $as_of_date and status = 'Anomaly Detected'
union all
select
    'High Churn Risk',
    'MEDIUM',
    case when predicted > 0 then at_risk end,
    case when predicted > 0 then concat(at_risk, ' customers at high risk') else 'unknown: no predictions yet' end
from (
    select count(*) as predicted, count(*) filter (churn_risk = 'High') as at_risk
    from gold.customer_churn_predictions
) as churn;
