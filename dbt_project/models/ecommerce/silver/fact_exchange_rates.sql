{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        pre_hook="{{ ensure_exchange_rates() }}",
        meta={'feeds': ['exchange_rates']},
    )
}}

{%- set columns = ['currency', 'rate', 'published_at', 'business_date'] %}

with rates as (
    {{ latest_rows(source('bronze', 'exchange_rates'), 'exchange_rates', ['currency', 'business_date'], columns) }}
)

select
    currency,
    business_date as rate_date,
    rate as exchange_rate,
    published_at,
    business_date,
    {{ as_of() }} as dbt_updated_at
from rates
