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
)
select
    item.order_id, item.line_number, item.product_id, orders.customer_id, item.quantity, item.unit_price,
    coalesce(item.discount_amount, 0) as discount_amount,
    (item.quantity * item.unit_price)::decimal(18, 4) as line_amount,
    (case
        when orders.is_undone and item.quantity > 0 then 0
        else item.quantity * item.unit_price - coalesce(item.discount_amount, 0)
    end)::decimal(18, 4) as net_amount,
    item.quantity > 0 and item.unit_price > 0 and orders.customer_id is not null as is_sale,
    item.business_date as order_date, item.business_date, $as_of::timestamp as dbt_updated_at
from latest as item
left join silver.fact_orders as orders using (order_id, business_date);
