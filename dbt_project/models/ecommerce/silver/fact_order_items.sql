{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['orders', 'order_items']},
    )
}}

{%- set columns = [
    'order_id', 'line_number', 'product_id', 'quantity', 'unit_price', 'discount_amount', 'business_date',
] %}

with items as (
    {{ latest_rows(source('bronze', 'order_items'), ['order_id', 'line_number'], columns) }}
),

orders as (
    select order_id, business_date, customer_id, is_undone
    from {{ ref('fact_orders') }}
    where {{ in_touched_dates('business_date') }}
),

-- An order and its lines share their business date. A line whose order is missing stays, without a customer.
joined as (
    select
        items.order_id,
        items.line_number,
        items.product_id,
        orders.customer_id,
        items.quantity,
        items.unit_price,
        coalesce(items.discount_amount, 0) as discount_amount,
        cast(items.quantity * items.unit_price as {{ money() }}) as line_amount,
        coalesce(orders.is_undone, false) as is_undone,
        items.business_date
    from items
    left join orders
        on
            items.order_id = orders.order_id
            and items.business_date = orders.business_date
)

select
    order_id,
    line_number,
    product_id,
    customer_id,
    quantity,
    unit_price,
    discount_amount,
    line_amount,
    -- What an undone order would have brought counts nothing; what it gives back (negative lines) counts.
    cast(
        case when is_undone and quantity > 0 then 0 else line_amount - discount_amount end as {{ money() }}
    ) as net_amount,
    quantity > 0 and unit_price > 0 and customer_id is not null as is_sale,
    business_date as order_date,
    business_date,
    {{ as_of() }} as dbt_updated_at
from joined
