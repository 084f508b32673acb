-- title: Revenue, last seven days
-- tells: Gross revenue of the newest delivered day and the six days before it; unknown if one of them was not delivered.
-- source: snapshot
-- shape: number
select case when count(*) = 7 and count(gross_revenue) = 7 then round(sum(gross_revenue), 2) end as gross_revenue
from gold.daily_revenue
where order_date > (select max(order_date) from gold.daily_revenue where order_date <= $as_of_date) - 7
    and order_date <= $as_of_date
