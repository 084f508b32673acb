-- title: Seconds of all runs by day
-- tells: The sum of the seconds of all runs, by the day on which they began.
-- source: runs
-- shape: line
-- unit: s
select local_day(started_at) as day, round(sum(seconds), 1) as seconds, count(*) as runs
from runs
where started_at >= datetime(:as_of, '-30 days') and seconds is not null
group by 1
order by 1
