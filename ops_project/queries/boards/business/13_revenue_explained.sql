-- title: What moved the revenue
-- tells: Each of the last 14 days compared with the same weekday a week before: the change that comes from more or fewer orders (at that week's revenue per order), the change that comes from larger or smaller orders, and whether rows of the day's files were refused.
-- source: snapshot
-- shape: table
with refused as (
    select business_date, sum(rows_quarantined) as refused_rows
    from ops.batches
    where feed in ('orders', 'order_items')
    group by business_date
),

compared as (
    select
        today.order_date,
        today.gross_revenue,
        before.gross_revenue as revenue_before,
        today.total_orders as orders,
        before.total_orders as orders_before,
        today.gross_revenue / nullif(today.total_orders, 0) as each_order,
        before.gross_revenue / nullif(before.total_orders, 0) as each_before,
        coalesce(refused.refused_rows, 0) as refused_rows,
        data_anomalies.status = 'Anomaly Detected' as is_anomaly
    from gold.daily_revenue as today
    left join gold.daily_revenue as before on today.order_date = before.order_date + 7
    left join refused on today.order_date = refused.business_date
    left join gold.data_anomalies on today.order_date = data_anomalies.order_date
    where today.order_date > $as_of_date - 14 and today.order_date <= $as_of_date
)

select
    order_date,
    gross_revenue,
    gross_revenue - revenue_before as change,
    round(100.0 * (gross_revenue / nullif(revenue_before, 0) - 1), 1) as change_percent,
    round((orders - orders_before) * each_before, 2) as from_orders,
    round(orders * (each_order - each_before), 2) as from_order_size,
    refused_rows,
    concat_ws(
        '; ',
        case
            when gross_revenue is null then 'the day was not delivered in full'
            when revenue_before is null then 'there is no such weekday a week before'
            when orders = orders_before then 'the same number of orders'
            else abs(orders - orders_before)::bigint || if(orders < orders_before, ' fewer', ' more')
                || if(abs(orders - orders_before) = 1, ' order', ' orders')
        end,
        case
            when each_order < each_before then 'each brought ' || format('{:.2f}', each_before - each_order) || ' less'
            when each_order > each_before then 'each brought ' || format('{:.2f}', each_order - each_before) || ' more'
        end,
        case when refused_rows > 0 then refused_rows || if(refused_rows = 1, ' row of its files was refused', ' rows of its files were refused') end,
        case when is_anomaly then 'outside of what its history predicts' when not is_anomaly then 'as its history predicts' end
    ) as why
from compared
order by order_date desc
