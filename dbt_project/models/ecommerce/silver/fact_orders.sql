{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        pre_hook="{{ ensure_exchange_rates() }}",
        meta={'feeds': ['orders', 'exchange_rates']},
    )
}}

{%- set columns = [
    'order_id', 'customer_id', 'status', 'channel', 'country', 'currency', 'payment_method', 'discount_amount',
    'shipping_amount', 'tax_amount', 'ordered_at', 'updated_at', 'business_date',
] %}
{%- set reporting_currency = "'" ~ var('reporting_currency') ~ "'" %}

with orders as (
    {{ latest_rows(source('bronze', 'orders'), 'orders', ['order_id'], columns) }}
),

foreign_days as (
    select distinct currency, business_date from orders
    where currency <> {{ reporting_currency }}
),

-- For each day and currency of an order, the rate that was published last.
published as (
    {{ latest_rows(
        source('bronze', 'exchange_rates'),
        'exchange_rates',
        ['currency', 'business_date'],
        ['currency', 'rate', 'business_date'],
        within='true',
    ) }}
),

-- The rate of the order's day. If there is none, the newest rate that is still valid on this day.
rates as (
    select
        foreign_days.currency,
        foreign_days.business_date,
        published.business_date as rate_date,
        published.rate as exchange_rate,
        row_number() over (
            partition by foreign_days.currency, foreign_days.business_date
            order by published.business_date desc
        ) as place
    from foreign_days
    inner join published
        on
            foreign_days.currency = published.currency
            and published.business_date <= foreign_days.business_date
            and published.business_date >= {{ dbt.dateadd('day', -valid_days('exchange_rates'), 'foreign_days.business_date') }}
),

-- Without a rate the amount is unknown. It is not computed with a rate of 0 or 1. The reporting currency needs no rate.
converted as (
    select
        orders.*,
        rates.rate_date,
        cast(
            case when orders.currency = {{ reporting_currency }} then 1 else rates.exchange_rate end as decimal(18, 8)
        ) as exchange_rate
    from orders
    left join rates
        on orders.currency = rates.currency and orders.business_date = rates.business_date and rates.place = 1
)

select
    order_id,
    customer_id,
    status,
    channel,
    country,
    currency,
    exchange_rate,
    rate_date as exchange_rate_date,
    payment_method,
    {{ in_reporting_currency('converted.discount_amount') }} as discount_amount,
    {{ in_reporting_currency('converted.shipping_amount') }} as shipping_amount,
    {{ in_reporting_currency('converted.tax_amount') }} as tax_amount,
    converted.discount_amount as discount_amount_in_order_currency,
    converted.shipping_amount as shipping_amount_in_order_currency,
    converted.tax_amount as tax_amount_in_order_currency,
    status in ('cancelled', 'returned') as is_undone,
    ordered_at,
    updated_at,
    business_date as order_date,
    business_date,
    {{ as_of() }} as dbt_updated_at
from converted
