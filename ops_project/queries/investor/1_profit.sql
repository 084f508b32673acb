-- title: Profit by period
-- tells: Profit by month and quarter, beside the profit that was reported when the period closed.
select
    period_type, period_start, days_delivered, is_complete, revenue, cost, marketing_spend, profit, profit_growth,
    reported_profit
from gold.kpi_aggregate_profit
order by period_type, period_start desc
