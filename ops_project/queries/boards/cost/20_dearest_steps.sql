-- title: The ten dearest steps, seven days
-- tells: Steps by the seconds that they took in all runs of the last seven days, and in how many runs they ran.
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
