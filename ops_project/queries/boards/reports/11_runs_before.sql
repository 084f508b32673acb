-- title: Runs in the period before
-- tells: The runs that began in the period before, by job.
-- source: runs
-- shape: table
select job, count(*) as runs, sum(state = 'failure') as failed, round(sum(seconds), 1) as seconds
from runs
where started_at >= :before and started_at < :since
group by job
order by job
