-- title: Daily totals
-- tells: Policy count and premium amount of the last 30 days, their change, and whether the day's extract has landed.
select
    business_date,
    sum(policy_count) as policy_count,
    sum(premium_amount) as premium_amount,
    sum(policy_count_change) as policy_count_change,
    sum(premium_amount_change) as premium_amount_change,
    bool_and(is_complete) as is_complete
from gold.kpi_policies
group by business_date
order by business_date desc
limit 30
