-- title: Table freshness report
-- tells: When each critical table was last updated, how many hours ago that was, and how many rows it has.
with updates as (
    select 'Bronze - Customers' as table_name, max(ingestion_timestamp) as last_updated, count(*) as row_count
    from bronze.customers
    union all
    select 'Bronze - Orders', max(ingestion_timestamp), count(*)
    from bronze.orders
    union all
    -- A dimension writes only rows that changed, so its last build counts as its update.
    select
        'Silver - Customers',
        (select max(built_at) from ops.builds where model = 'dim_customers'),
        count(*)
    from silver.dim_customers
    union all
    select 'Gold - Metrics', max(metric_updated_at), count(*)
    from gold.customer_metrics
)

select
    table_name,
    last_updated,
    date_diff('second', last_updated, $as_of) // 3600 as hours_old,
    row_count,
    case
        when last_updated is null then '❔ Unknown'
        when date_diff('second', last_updated, $as_of) < 24 * 3600 then '✅ Fresh'
        when date_diff('second', last_updated, $as_of) < 48 * 3600 then '⚠️ Stale'
        else '❌ Very stale'
    end as status
from updates
order by table_name;
