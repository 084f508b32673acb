{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['policies']},
    )
}}

with changes as (
    select * from {{ ref('stg_policy_changes') }}
    where {{ in_touched_dates('business_date') }}
),

ranked as (
    select
        *,
        row_number() over (partition by policy_id, business_date order by cdc_seq desc) as place,
        count(*) over (partition by policy_id, business_date) as changes_of_the_day
    from changes
)

select
    policy_id,
    holder_id,
    product,
    region,
    policy_status,
    premium,
    is_erased,
    effective_date,
    cancelled_date,
    cast(changes_of_the_day as {{ dbt.type_bigint() }}) as changes_of_the_day,
    cdc_seq,
    changed_at,
    business_date,
    {{ as_of() }} as dbt_updated_at
from ranked
where place = 1
