{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': 'dates_since_catalogue'},
    )
}}

with loaded as (
    select
        business_date,
        listened_at,
        loaded_at,
        count(*) as events,
        sum(case when is_valid then 0 else 1 end) as reference_violations
    from {{ ref('int_streams') }}
    where {{ in_touched_dates('business_date') }}
    group by business_date, listened_at, loaded_at
),

-- Refused rows count at their own time if it can still be read, and otherwise only at the time of their load.
refused as (
    select
        try_cast(
            json_extract_string(
                case when json_valid(quarantine.raw_text) then quarantine.raw_text end, '$.listened_at'
            ) as {{ dbt.type_timestamp() }}
        ) as listened_at,
        batches.loaded_at,
        batches.business_date as file_date,
        quarantine.rows as events
    from {{ source('ops', 'quarantine') }} as quarantine
    inner join {{ source('ops', 'batches') }} as batches on quarantine.batch_id = batches.batch_id
    where quarantine.feed = 'streams' and batches.status = 'loaded'
),

refused_moments as (
    select
        coalesce(cast(listened_at as date), file_date) as business_date,
        listened_at,
        loaded_at,
        sum(events) as refused
    from refused
    where {{ in_touched_dates('coalesce(cast(listened_at as date), file_date)') }}
    group by coalesce(cast(listened_at as date), file_date), listened_at, loaded_at
)

select
    coalesce(loaded.business_date, refused_moments.business_date) as business_date,
    coalesce(loaded.listened_at, refused_moments.listened_at) as listened_at,
    coalesce(loaded.loaded_at, refused_moments.loaded_at) as loaded_at,
    cast(coalesce(loaded.events, 0) + coalesce(refused_moments.refused, 0) as {{ dbt.type_bigint() }}) as events,
    cast(coalesce(refused_moments.refused, 0) as {{ dbt.type_bigint() }}) as refused,
    cast(coalesce(loaded.reference_violations, 0) as {{ dbt.type_bigint() }}) as reference_violations,
    {{ as_of() }} as dbt_updated_at
from loaded
full outer join refused_moments
    on
        loaded.business_date = refused_moments.business_date
        and loaded.listened_at = refused_moments.listened_at
        and loaded.loaded_at = refused_moments.loaded_at
