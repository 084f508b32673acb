-- title: Revenue
-- tells: Gross revenue and orders of the newest delivered days.
-- source: snapshot
-- shape: table
select order_date, gross_revenue, total_orders, revenue_7d_avg
from gold.daily_revenue
where order_date < $as_of_date
order by order_date desc
limit 7
