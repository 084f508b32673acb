-- title: Seconds by job, 30 days
-- tells: The seconds that all runs of each job took, failed ones included, and their share of the whole.
-- source: runs
-- shape: bars
-- unit: s
select
    job,
    round(sum(seconds), 1) as seconds,
    count(*) as runs,
    round(100.0 * sum(seconds) / sum(sum(seconds)) over (), 1) as percent_of_all
from runs
where started_at >= datetime(:as_of, '-30 days') and seconds is not null
group by job
order by seconds desc, job
