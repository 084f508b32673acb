-- title: Data quality summary
-- tells: The quality scores by layer, how many tables are below 85, and how many have no score.
select
    layer,
    count(*) as table_count,
    round(avg(quality_score), 1) as avg_score,
    min(quality_score) as min_score,
    max(quality_score) as max_score,
    sum(case when quality_score < 85 then 1 else 0 end) as tables_below_threshold,
    sum(case when quality_score is null then 1 else 0 end) as tables_without_score,
    case
        when min(quality_score) is null then '❔ Unknown'
        when min(quality_score) >= 90 then '✅ Excellent'
        when min(quality_score) >= 85 then '✅ Good'
        when min(quality_score) >= 70 then '⚠️ Fair'
        else '❌ Poor'
    end as status
from gold.data_quality_metrics
where domain = 'ecommerce'
group by layer
order by layer;
