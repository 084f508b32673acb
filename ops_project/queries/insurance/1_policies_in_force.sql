-- title: Policies in force
-- tells: Policy count and premium amount of the newest day, by product and region.
select product, region, policy_count, premium_amount, average_premium, is_complete
from gold.kpi_policies
where business_date = (select max(business_date) from gold.kpi_policies)
order by product, region
