-- title: Duration against the baseline
-- tells: The last successful run of each job against the mean of its successes in the 30 days before. A ratio above 1.2 is slow. With fewer than five earlier successes, the baseline is unknown.
-- source: runs
-- shape: table
-- empty: No run has succeeded in 30 days.
with successes as (
    select job, seconds, row_number() over (partition by job order by started_at desc) as newest
    from runs where state = 'success' and started_at >= datetime(:as_of, '-30 days')
)

select
    job,
    round(max(case when newest = 1 then seconds end), 1) as last_seconds,
    case when count(*) > 5 then round(avg(case when newest > 1 then seconds end), 1) end as usual_seconds,
    case
        when count(*) > 5
            then round(max(case when newest = 1 then seconds end) / avg(case when newest > 1 then seconds end), 2)
    end as ratio,
    count(*) - 1 as earlier_successes
from successes
group by job
order by job
