-- title: Figures that changed after they were reported
-- tells: Reported figures whose value has changed since, and by how much.
-- source: snapshot
-- shape: table
select metric, period_type, period_start, reported_as_of, reported_value, current_value, change_percent, is_beyond_tolerance
from gold.rec_restatements
where reported_as_of < $as_of_date and change <> 0
order by is_beyond_tolerance desc, period_start desc, metric
