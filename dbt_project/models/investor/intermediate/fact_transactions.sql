{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['transactions']},
    )
}}

{#- A transaction can be delivered again with a time on another day. Then it leaves its old day. #}
with wanted as (
    select distinct transaction_id from {{ ref('stg_transactions') }}
    where {{ in_touched_dates('business_date') }}
),

versions as (
    select
        transactions.*,
        row_number() over (
            partition by transactions.transaction_id order by {{ newest_transaction('transactions') }}
        ) as place
    from {{ ref('stg_transactions') }} as transactions
    {%- if is_incremental() %}
    inner join wanted on transactions.transaction_id = wanted.transaction_id
    {%- endif %}
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
where place = 1 and {{ in_touched_dates('business_date') }}
