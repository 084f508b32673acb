create or replace table silver.fact_orders as
with contested as (
    select business_date from bronze.orders group by business_date having min(_load_seq) <> max(_load_seq)
),
latest as (
    select * from bronze.orders where business_date not in (select business_date from contested)
    union all
    select * from bronze.orders where business_date in (select business_date from contested)
    qualify
        row_number() over (
            partition by business_date, order_id order by updated_at desc nulls last, _load_seq desc, _line desc
        ) = 1
),
converted as (
    select
        latest.*,
        case
            when latest.currency = 'USD' then 1
            when rates.rate_date >= latest.business_date - 7 then rates.exchange_rate
        end::decimal(18, 8) as rate,
        case when latest.currency <> 'USD' and rates.rate_date >= latest.business_date - 7 then rates.rate_date end as rate_date
    from latest
    asof left join silver.fact_exchange_rates as rates
        on latest.currency = rates.currency and latest.business_date >= rates.rate_date
)
select
    order_id, customer_id, status, channel, country, currency, rate as exchange_rate, rate_date as exchange_rate_date,
    payment_method, (converted.discount_amount * rate)::decimal(18, 4) as discount_amount,
    (converted.shipping_amount * rate)::decimal(18, 4) as shipping_amount,
    (converted.tax_amount * rate)::decimal(18, 4) as tax_amount,
    converted.discount_amount as discount_amount_in_order_currency,
    converted.shipping_amount as shipping_amount_in_order_currency,
    converted.tax_amount as tax_amount_in_order_currency,
    status in ('cancelled', 'returned') as is_undone, ordered_at, updated_at, business_date as order_date,
    business_date, $as_of::timestamp as dbt_updated_at
from converted;
