-- title: Seconds of successful runs by day
-- tells: The sum of the seconds that the successful runs of all jobs took, by the day on which they began.
-- source: runs
-- shape: line
-- unit: s
select local_day(started_at) as day, round(sum(seconds), 1) as seconds
from runs
where state = 'success' and started_at >= datetime(:as_of, '-30 days')
group by 1
order by 1
