-- title: Readings of the models
-- tells: The newest reading of each health metric of each model (drift, calibration, coverage, age), with its limit.
-- source: snapshot
-- shape: table
-- empty: No model has been judged yet.
select model, version, metric, value, "limit", status, detail, as_of
from ops.model_health
qualify row_number() over (partition by model, metric order by as_of desc) = 1
order by status, model, metric
