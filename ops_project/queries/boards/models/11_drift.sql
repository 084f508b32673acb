-- title: Input drift over time
-- tells: How far the inputs of each model have moved from its training (stability index beyond natural movement), by day.
-- source: snapshot
-- shape: line
select
    (as_of at time zone 'UTC' at time zone $zone)::date as day,
    max(value) filter (model = 'segmentation') as segmentation,
    max(value) filter (model = 'churn') as churn,
    max(value) filter (model = 'recommendations') as recommendations
from ops.model_health
where metric = 'input_drift' and as_of >= $as_of - interval 90 day
group by day
order by day
