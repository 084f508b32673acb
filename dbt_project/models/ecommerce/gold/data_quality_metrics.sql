{{ config(materialized='view') }}

-- This is a view, because scores are computed after the tables that they judge. A table would lack the newest scores.
with scores as (
    select
        *,
        row_number() over (
            partition by table_schema, table_name
            order by as_of desc, run_id desc
        ) as place
    from {{ source('ops', 'quality_scores') }}
),

existing as (
    {{ warehouse_tables(['bronze', 'silver', 'gold']) }}
),

-- Tables without a score have a domain too.
domains as (
    select 'bronze' as table_schema, feed as table_name, max_by(domain, arrived_at) as domain
    from {{ source('ops', 'batches') }}
    group by feed
    {{ domains_of_models() }}
)

select
    cast(existing.table_schema as {{ dbt.type_string() }}) as layer,
    cast(existing.table_name as {{ dbt.type_string() }}) as table_name,
    cast(coalesce(scores.domain, domains.domain) as {{ dbt.type_string() }}) as domain,
    cast(scores.score as double) as quality_score,
    cast(scores.completeness as double) as completeness,
    cast(scores.validity as double) as validity,
    cast(scores.uniqueness as double) as uniqueness,
    cast(scores.consistency as double) as consistency,
    cast(scores.timeliness as double) as timeliness,
    cast(scores.row_count as {{ dbt.type_bigint() }}) as row_count,
    cast(scores.as_of as {{ dbt.type_timestamp() }}) as metric_updated_at
from existing
left join scores
    on
        existing.table_schema = scores.table_schema
        and existing.table_name = scores.table_name
        and scores.place = 1
left join domains
    on
        existing.table_schema = domains.table_schema
        and existing.table_name = domains.table_name
