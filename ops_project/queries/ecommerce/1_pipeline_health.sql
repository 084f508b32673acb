-- title: Pipeline status overview
-- tells: Whether a critical table is stale (24 h or more since its update), a score is below 85, or a file is missing or in doubt.
with updates as (
    select max(ingestion_timestamp) as last_updated from bronze.customers
    union all
    select max(ingestion_timestamp) from bronze.orders
    union all
    select max(built_at) from ops.builds where model = 'dim_customers'
    union all
    select max(metric_updated_at) from gold.customer_metrics
),

-- Open findings about files. A file that did not come or was refused is awaited. A loaded file is doubted.
findings as (
    select
        findings.feed,
        findings.business_date,
        findings.file_name,
        batches.status is distinct from 'loaded' as is_awaited
    from ops.findings
    inner join ops.feeds on findings.feed = feeds.feed and feeds.domain = 'ecommerce'
    left join ops.batches on findings.batch_id = batches.batch_id
    where findings.state = 'open'
),

counts as (
    select
        (select count(distinct (feed, business_date)) from findings where is_awaited) as awaited_count,
        (select count(distinct (feed, business_date)) from findings where not is_awaited) as doubted_count,
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
        when low_quality_count > 0 or awaited_count > 0 or doubted_count > 0 then '⚠️ Warning'
        when never_count > 0 or scored_count = 0 then '❔ Unknown'
        else '✅ Healthy'
    end as status,
    concat(stale_count, case when stale_count = 1 then ' stale table, ' else ' stale tables, ' end, low_quality_count, ' low quality')
    || case when awaited_count > 0 then concat(', ', awaited_count, case when awaited_count = 1 then ' file' else ' files' end, ' awaited') else '' end
    || case when doubted_count > 0 then concat(', ', doubted_count, case when doubted_count = 1 then ' file' else ' files' end, ' doubted') else '' end
    || case when never_count > 0 then concat(', ', never_count, ' never loaded') else '' end
    || case when scored_count = 0 then ', no scores yet' else '' end as details
from counts;
