{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['orders', 'order_items', 'exchange_rates']},
    )
}}

{%- set columns = [
    'order_id', 'line_number', 'product_id', 'quantity', 'unit_price', 'discount_amount', 'business_date',
] %}

{#- A line counts on the date of its order. So all lines of an order are read if one of them, or the order itself, is on
a date to rebuild. #}
with wanted_orders as (
    select order_id from {{ source('bronze', 'order_items') }}
    where {{ in_touched_dates('business_date') }}
    union
    select order_id from {{ ref('fact_orders') }}
    where {{ in_touched_dates('business_date') }}
),

items as (
    {{ latest_rows(
        source('bronze', 'order_items'),
        'order_items',
        ['order_id', 'line_number'],
        columns,
        within='order_id in (select wanted_orders.order_id from wanted_orders)' if is_incremental() else 'true',
    ) }}
),

orders as (
    select order_id, business_date, customer_id, is_undone, currency, exchange_rate
    from {{ ref('fact_orders') }}
    {%- if is_incremental() %}
    where order_id in (select wanted_orders.order_id from wanted_orders)
    {%- endif %}
),

-- A line whose order is missing keeps the date of its own file. It has no customer and no currency, and counts as a
-- line of an order that is not undone.
joined as (
    select
        items.order_id,
        items.line_number,
        items.product_id,
        orders.customer_id,
        orders.currency,
        orders.exchange_rate,
        items.quantity,
        items.unit_price,
        coalesce(items.discount_amount, 0) as discount_amount,
        cast(items.quantity * items.unit_price as {{ money() }}) as line_amount,
        orders.is_undone,
        coalesce(orders.business_date, items.business_date) as business_date
    from items
    left join orders on items.order_id = orders.order_id
),

priced as (
    select
        *,
        -- The sales lines of an undone order have the net amount 0. Its negative lines (returned goods) keep their
        -- amount.
        cast(
            case when is_undone and quantity > 0 then 0 else line_amount - discount_amount end as {{ money() }}
        ) as net_amount,
        quantity > 0 and unit_price > 0 and customer_id is not null as is_sale
    from joined
)

select
    order_id,
    line_number,
    product_id,
    customer_id,
    currency,
    exchange_rate,
    quantity,
    {{ in_reporting_currency('priced.unit_price') }} as unit_price,
    {{ in_reporting_currency('priced.discount_amount') }} as discount_amount,
    {{ in_reporting_currency('priced.line_amount') }} as line_amount,
    {{ in_reporting_currency('priced.net_amount') }} as net_amount,
    priced.unit_price as unit_price_in_order_currency,
    priced.discount_amount as discount_amount_in_order_currency,
    priced.line_amount as line_amount_in_order_currency,
    priced.net_amount as net_amount_in_order_currency,
    is_sale,
    business_date as order_date,
    business_date,
    {{ as_of() }} as dbt_updated_at
from priced
where {{ in_touched_dates('business_date') }}
