-- title: Runs of the last seven days
-- tells: How many runs each job had, how many of them failed, and how the last one ended.
-- source: runs
-- shape: table
-- empty: Nothing has run in seven days.
select
    job,
    count(*) as runs,
    sum(state = 'failure') as failed,
    max(case when newest = 1 then state end) as last_state,
    max(case when newest = 1 then started_at end) as last_started_at
from (
    select *, row_number() over (partition by job order by started_at desc) as newest
    from runs where started_at >= datetime(:as_of, '-7 days')
) as recent
group by job
order by failed desc, job
