{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['marketing_spend']},
    )
}}

with spend as (
    {{
        latest_rows(
            source('bronze', 'marketing_spend'),
            'marketing_spend',
            ['business_date', 'channel'],
            ['business_date', 'channel', 'impressions', 'clicks', 'spend_amount'],
        )
    }}
)

select
    business_date,
    channel,
    impressions,
    clicks,
    cast(spend_amount as {{ money() }}) as spend_amount,
    {{ as_of() }} as dbt_updated_at
from spend
