{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['product_events']},
    )
}}

with events as (
    {{
        latest_rows(
            source('bronze', 'product_events'),
            'product_events',
            ['event_id'],
            ['event_id', 'unit_id', 'session_id', 'duration_seconds', 'business_date'],
        )
    }}
)

select
    business_date,
    unit_id,
    count(distinct session_id) as sessions,
    count(*) as events,
    cast(coalesce(sum(duration_seconds), 0) as {{ dbt.type_bigint() }}) as engaged_seconds,
    {{ as_of() }} as dbt_updated_at
from events
group by business_date, unit_id
