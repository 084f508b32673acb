-- title: Seconds of successful runs by day
-- tells: The sum of the seconds that the successful runs of all jobs took, by the day (UTC) on which they began.
-- source: runs
-- shape: line
-- unit: s
select substr(started_at, 1, 10) as day, round(sum(seconds), 1) as seconds
from runs
where state = 'success' and started_at >= datetime(:as_of, '-30 days')
group by 1
order by 1
