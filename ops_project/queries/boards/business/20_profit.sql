-- title: Aggregate profit by month
-- tells: Revenue less cost and marketing spend, as reported to investors. A month is complete when all of its files have come.
-- source: snapshot
-- shape: table
select period_start as month, revenue, cost, marketing_spend, profit, profit_margin, is_complete, reported_profit
from gold.kpi_aggregate_profit
where period_type = 'month' and period_start <= $as_of_date
order by period_start desc
limit 6
