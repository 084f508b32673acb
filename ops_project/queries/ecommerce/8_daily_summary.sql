-- title: Daily pipeline summary
-- tells: Today in one row: orders ingested and processed, mean score, anomalies of the last 24 hours, overall status.
select
    $as_of_date as report_date,
    (
        select count(*) from bronze.orders
        where cast(ingestion_timestamp as date) = cast($as_of as date)
    ) as orders_ingested_today,
    (
        select count(*) from silver.fact_orders
        where cast(dbt_updated_at as date) = cast($as_of as date)
    ) as orders_processed_today,
    (
        select round(avg(quality_score), 1) from gold.data_quality_metrics
        where domain = 'ecommerce'
    ) as avg_quality_score,
    (
        select count(*) from gold.data_anomalies
        where order_date between $as_of_date - 1 and $as_of_date and status = 'Anomaly Detected'
    ) as anomalies_24h,
    (
        select
            case
                when count(*) filter (quality_score < 85) > 0 or (
                    -- Open findings about files count even if there is no score.
                    select count(*)
                    from ops.findings
                    inner join ops.feeds on findings.feed = feeds.feed and feeds.domain = 'ecommerce'
                    where findings.state = 'open'
                ) > 0 then '⚠️ Issues detected'
                when count(quality_score) = 0 then '❔ Unknown'
                else '✅ All checks passed'
            end
        from gold.data_quality_metrics
        where domain = 'ecommerce'
    ) as overall_status;
