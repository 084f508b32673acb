-- title: Builds of the chain
-- tells: When each table of the chain was last written, and how many batches it has not consumed yet.
select layer, model, built_at, waiting_batches
from (
    select
        case
            when builds.model like 'uds!_%' escape '!' then '2 interface'
            when builds.model in ('customer_360', 'campaign_360', 'campaign_performance') then '3 360'
            else '1 RDV'
        end as layer,
        builds.model,
        builds.built_at,
        (select count(*) from ops.batches where domain = 'marketing' and load_seq > builds.load_seq) as waiting_batches
    from ops.builds as builds
    inner join duckdb_tables() as tables on builds.model = tables.table_name
    where
        builds.model in ('customer_360', 'campaign_360', 'campaign_performance')
        or regexp_matches(builds.model, '^(hub|link|sat|ma_sat|eff_sat|uds)_')
)
order by layer, model;
