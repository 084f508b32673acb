{{ config(materialized='view') }}

with days as (
    {{ delivery_days(['orders', 'order_items']) }}
)

select
    business_date,
    orders_delivered and order_items_delivered as is_delivered,
    orders_complete and order_items_complete as is_complete
from days
