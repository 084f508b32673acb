-- title: Runs
-- tells: The runs that began in the period, by job: how many, how many of them failed, and the seconds that they took together.
-- source: runs
-- shape: table
-- empty: Nothing ran in the period.
select
    job,
    count(*) as runs,
    sum(state = 'failure') as failed,
    round(sum(seconds), 1) as seconds,
    round(max(seconds), 1) as longest_seconds
from runs
where started_at >= :since and started_at < :as_of
group by job
order by failed desc, job
