{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': ['dates_since_catalogue', 'dates_of_refusals']},
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
    {{ refused_streams(source('ops', 'quarantine'), source('ops', 'batches')) }}
),

refused_moments as (
    select business_date, listened_at, loaded_at, sum(refused) as refused
    from refused
    where {{ in_touched_dates('business_date') }}
    group by business_date, listened_at, loaded_at
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
    on loaded.listened_at = refused_moments.listened_at and loaded.loaded_at = refused_moments.loaded_at
