{{ config(materialized='view') }}

with days as (
    {{ delivery_days(['transactions', 'marketing_spend', 'product_events']) }}
)

select
    business_date,
    transactions_delivered,
    marketing_spend_delivered,
    transactions_complete,
    marketing_spend_complete,
    product_events_complete
from days
