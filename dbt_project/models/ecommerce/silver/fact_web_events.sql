{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['web_events']},
    )
}}

{%- set columns = [
    'event_id', 'session_id', 'customer_id', 'product_id', 'event_type', 'device', 'source', 'page_url', 'occurred_at',
    'business_date',
] %}

with events as (
    {{ latest_rows(source('bronze', 'web_events'), 'web_events', ['event_id'], columns) }}
)

select
    event_id,
    session_id,
    customer_id,
    product_id,
    event_type,
    device,
    source,
    page_url,
    occurred_at,
    business_date as event_date,
    business_date,
    {{ as_of() }} as dbt_updated_at
from events
