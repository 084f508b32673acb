create or replace view gold.data_quality_metrics as
select
    table_schema as layer, table_name, coalesce(scores.domain, batches.domain) as domain, score as quality_score,
    completeness, validity, uniqueness, consistency, timeliness, row_count, as_of as metric_updated_at
from information_schema.tables
left join (
    from ops.quality_scores qualify row_number() over (partition by table_schema, table_name order by as_of desc) = 1
) as scores using (table_schema, table_name)
left join (select distinct feed, domain from ops.batches) as batches on table_schema = 'bronze' and table_name = feed
where table_schema in ('bronze', 'silver', 'gold') and table_type = 'BASE TABLE';
