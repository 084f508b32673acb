{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['transactions']},
    )
}}

with versions as (
    select
        *,
        row_number() over (
            partition by business_date, transaction_id order by updated_at desc, load_seq desc, line desc
        ) as place
    from {{ ref('stg_transactions') }}
    where {{ in_touched_dates('business_date') }}
)

select
    transaction_id,
    unit_id,
    occurred_at,
    product_line,
    region,
    channel,
    quantity,
    cast(revenue as {{ money() }}) as revenue,
    cast(cost as {{ money() }}) as cost,
    cast(revenue - cost as {{ money() }}) as profit,
    status,
    updated_at,
    business_date,
    {{ as_of() }} as dbt_updated_at
from versions
where place = 1
