{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': ['dates_since_catalogue', 'dates_of_refusals']},
    )
}}

select
    business_date,
    loaded_at,
    cast(sum(events) as {{ dbt.type_bigint() }}) as events,
    cast(sum(refused) as {{ dbt.type_bigint() }}) as refused,
    cast(sum(reference_violations) as {{ dbt.type_bigint() }}) as reference_violations,
    {{ as_of() }} as dbt_updated_at
from {{ ref('int_stream_moments') }}
where {{ in_touched_dates('business_date') }}
group by business_date, loaded_at
