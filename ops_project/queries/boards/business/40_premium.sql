-- title: Premium in force, 30 days
-- tells: The premium of all policies in force, by day.
-- source: snapshot
-- shape: line
select business_date, sum(premium_amount) as premium
from gold.kpi_policies
where business_date > $as_of_date - 30 and business_date <= $as_of_date
group by business_date
order by business_date
