-- title: The ten most expensive steps, seven days
-- tells: The seconds that each step took in all runs of the last seven days, and the number of those runs.
-- source: runs
-- shape: bars
-- unit: s
-- empty: No step has ended in seven days.
select step, round(sum(seconds), 1) as seconds, count(distinct run_id) as runs
from steps
where started_at >= datetime(:as_of, '-7 days')
group by step
order by seconds desc, step
limit 10
