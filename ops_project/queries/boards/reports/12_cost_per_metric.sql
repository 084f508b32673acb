-- title: Cost per metric
-- tells: The seconds of the runs of each domain in the period, divided by the number of gold tables that the domain has.
-- source: runs
-- shape: table
-- empty: Nothing ran in the period.
select
    runs.domain,
    count(*) as runs,
    round(sum(runs.seconds), 1) as seconds,
    (select count(*) from assets where assets.domain = runs.domain and assets.layer = 'gold') as gold_tables,
    round(
        sum(runs.seconds)
        / nullif((select count(*) from assets where assets.domain = runs.domain and assets.layer = 'gold'), 0), 1
    ) as seconds_per_table
from runs
where runs.started_at >= :since and runs.started_at < :as_of and runs.domain <> ''
group by runs.domain
order by seconds desc
