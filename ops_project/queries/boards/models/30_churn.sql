-- title: Customers by risk of leaving
-- tells: The newest predictions by band, with the mean probability of each.
-- source: snapshot
-- shape: bars
select churn_risk, count(*) as customers, round(avg(churn_probability), 3) as mean_probability
from gold.customer_churn_predictions
group by churn_risk
order by mean_probability desc
