-- title: Critical alerts
-- tells: The problems that need attention at once: tables over 48 h old, scores below 70, anomalies since yesterday, high churn risk.
-- optional: gold.customer_churn_predictions (customer_id varchar, churn_risk varchar, churn_probability double)
with ages as (
    select 'bronze.customers' as table_name, date_diff('second', max(ingestion_timestamp), $as_of) as seconds
    from bronze.customers
    union all
    select 'bronze.orders', date_diff('second', max(ingestion_timestamp), $as_of)
    from bronze.orders
),

stale as (
    select
        count(*) filter (seconds > 48 * 3600) as table_count,
        coalesce(string_agg(table_name, ', ') filter (seconds > 48 * 3600), '') as table_names,
        string_agg(table_name, ', ') filter (seconds is null) as never_loaded
    from ages
),

scores as (
    select
        count(quality_score) as scored,
        count(*) filter (quality_score < 70) as table_count,
        coalesce(string_agg(concat(layer, '.', table_name), ', ') filter (quality_score < 70), '') as table_names
    from gold.data_quality_metrics
    where domain = 'ecommerce'
)

select
    'Stale Tables' as alert_type,
    'HIGH' as severity,
    case when table_count > 0 or never_loaded is null then table_count end as count,
    concat_ws('; ', nullif(table_names, ''), 'unknown: never loaded: ' || never_loaded) as details
from stale
union all
select
    'Low Quality Tables',
    'HIGH',
    case when scored > 0 then table_count end,
    case when scored > 0 then table_names else 'unknown: no scores yet' end
from scores
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
