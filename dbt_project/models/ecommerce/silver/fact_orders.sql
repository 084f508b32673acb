{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['orders']},
    )
}}

{%- set columns = [
    'order_id', 'customer_id', 'status', 'channel', 'country', 'currency', 'payment_method', 'discount_amount',
    'shipping_amount', 'tax_amount', 'ordered_at', 'updated_at', 'business_date',
] %}

with orders as (
    {{ latest_rows(source('bronze', 'orders'), 'orders', ['order_id'], columns) }}
)

select
    order_id,
    customer_id,
    status,
    channel,
    country,
    currency,
    payment_method,
    discount_amount,
    shipping_amount,
    tax_amount,
    status in ('cancelled', 'returned') as is_undone,
    ordered_at,
    updated_at,
    business_date as order_date,
    business_date,
    {{ as_of() }} as dbt_updated_at
from orders
