-- title: ML model health
-- tells: How many predictions each model has made, and whether more than 1000 customers are at high risk of churn.
-- optional: gold.customer_segments (customer_id varchar, segment_name varchar)
-- optional: gold.customer_churn_predictions (customer_id varchar, churn_risk varchar, churn_probability double)
-- optional: gold.product_recommendations (product_id varchar, recommended_product_id varchar)
select
    'Customer Segmentation' as model,
    nullif(count(distinct customer_id), 0) as predictions,
    nullif(count(distinct segment_name), 0) as segments,
    case when count(*) = 0 then '❔ Unknown' else '✅ Active' end as status
from gold.customer_segments
union all
select
    'Churn Prediction',
    nullif(count(distinct customer_id), 0),
    nullif(count(distinct churn_risk), 0),
    case
        when count(*) = 0 then '❔ Unknown'
        when sum(case when churn_risk = 'High' then 1 else 0 end) > 1000 then '⚠️ High Risk'
        else '✅ Active'
    end
from gold.customer_churn_predictions
union all
select
    'Product Recommendations',
    nullif(count(distinct product_id), 0),
    nullif(count(distinct recommended_product_id), 0),
    case when count(*) = 0 then '❔ Unknown' else '✅ Active' end
from gold.product_recommendations;
