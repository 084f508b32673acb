-- title: Restatements
-- tells: Reported figures whose value would be different today, the largest change first.
select metric, period_type, period_start, reported_as_of, reported_value, current_value, change_percent, is_beyond_tolerance
from gold.rec_restatements
where change <> 0
order by abs(change) desc
