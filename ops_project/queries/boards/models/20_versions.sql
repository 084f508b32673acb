-- title: Trainings and promotions
-- tells: Each training of 90 days: whether its version was promoted, and why or why not.
-- source: snapshot
-- shape: table
-- empty: No model has been trained in 90 days.
select model, version, as_of, promoted, reason, message
from ops.model_trainings
where as_of >= $as_of - interval 90 day
order by as_of desc, model
limit 40
