-- title: Customers at high risk
-- tells: Customers with a high risk of leaving; unknown if there are no predictions. Above 500, the business team is told.
-- source: snapshot
-- shape: number
select count(*) filter (churn_risk = 'High') as customers from gold.customer_churn_predictions having count(*) > 0
