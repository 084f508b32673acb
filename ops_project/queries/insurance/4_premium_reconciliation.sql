-- title: Premium reconciliation
-- tells: Rows and premium of each table on the last dates, side by side; `ops reconcile policies` names the keys.
with ods as (
    select business_date, count(*) as policies, sum(premium) as premium from silver.ods_policies group by business_date
),

facts as (
    select business_date, count(*) as policies, sum(premium) as premium from silver.fact_policies group by business_date
)

select
    business_date,
    ods.policies as ods_policies,
    facts.policies as fact_policies,
    ods.premium as ods_premium,
    facts.premium as fact_premium,
    abs(coalesce(ods.premium, 0) - coalesce(facts.premium, 0)) as discrepancy
from ods
full outer join facts using (business_date)
order by business_date desc
limit 30
