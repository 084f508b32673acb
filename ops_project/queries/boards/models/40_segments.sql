-- title: Customers by segment
-- tells: The newest segmentation.
-- source: snapshot
-- shape: bars
select segment_name, count(*) as customers, round(avg(revenue), 2) as mean_revenue
from gold.customer_segments
group by segment_name
order by customers desc, segment_name
