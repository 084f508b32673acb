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
)
select
    order_id, customer_id, status, channel, country, currency, payment_method, discount_amount, shipping_amount,
    tax_amount, status in ('cancelled', 'returned') as is_undone, ordered_at, updated_at, business_date as order_date,
    business_date, $as_of::timestamp as dbt_updated_at
from latest;
