create or replace table silver.fact_order_items as
with contested as (
    select business_date from bronze.order_items group by business_date having min(_load_seq) <> max(_load_seq)
),
latest as (
    select * from bronze.order_items where business_date not in (select business_date from contested)
    union all
    select * from bronze.order_items where business_date in (select business_date from contested)
    qualify
        row_number() over (partition by business_date, order_id, line_number order by _load_seq desc, _line desc) = 1
),
priced as (
    select
        item.order_id, item.line_number, item.product_id, orders.customer_id, orders.currency, orders.exchange_rate,
        item.quantity, item.unit_price, coalesce(item.discount_amount, 0) as discount,
        (item.quantity * item.unit_price)::decimal(18, 4) as amount,
        (case
            when orders.is_undone and item.quantity > 0 then 0
            else item.quantity * item.unit_price - coalesce(item.discount_amount, 0)
        end)::decimal(18, 4) as net,
        item.business_date
    from latest as item
    left join silver.fact_orders as orders using (order_id, business_date)
)
select
    order_id, line_number, product_id, customer_id, currency, exchange_rate, quantity,
    (priced.unit_price * exchange_rate)::decimal(18, 4) as unit_price, (discount * exchange_rate)::decimal(18, 4) as discount_amount,
    (amount * exchange_rate)::decimal(18, 4) as line_amount, (net * exchange_rate)::decimal(18, 4) as net_amount,
    priced.unit_price as unit_price_in_order_currency, discount as discount_amount_in_order_currency,
    amount as line_amount_in_order_currency, net as net_amount_in_order_currency,
    quantity > 0 and priced.unit_price > 0 and customer_id is not null as is_sale,
    business_date as order_date, business_date, $as_of::timestamp as dbt_updated_at
from priced;
