-- title: Pipeline status overview
-- tells: Whether any critical table is stale (24 h or more since its last update) or of low quality (score below 85).
with updates as (
    select max(ingestion_timestamp) as last_updated from bronze.customers
    union all
    select max(ingestion_timestamp) from bronze.orders
    union all
    select max(built_at) from ops.builds where model = 'dim_customers'
    union all
    select max(metric_updated_at) from gold.customer_metrics
),

counts as (
    select
        (
            select count(*) from updates
            where date_diff('second', last_updated, $as_of) >= 24 * 3600
        ) as stale_count,
        (select count(*) from updates where last_updated is null) as never_count,
        (
            select count(*) from gold.data_quality_metrics
            where quality_score < 85 and domain = 'ecommerce'
        ) as low_quality_count,
        (
            select count(*) from gold.data_quality_metrics
            where quality_score is not null and domain = 'ecommerce'
        ) as scored_count
)

select
    'Pipeline Health' as metric,
    case
        when stale_count > 0 or low_quality_count > 2 then '❌ Critical'
        when low_quality_count > 0 then '⚠️ Warning'
        when never_count > 0 or scored_count = 0 then '❔ Unknown'
        else '✅ Healthy'
    end as status,
    concat(stale_count, ' stale tables, ', low_quality_count, ' low quality')
    || case when never_count > 0 then concat(', ', never_count, ' never loaded') else '' end
    || case when scored_count = 0 then ', no scores yet' else '' end as details
from counts;
