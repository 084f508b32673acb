-- title: The ten most expensive tables, seven days
-- tells: The seconds that building each table took in the last seven days, how often it was built, the rows that came in (files) or that the table has, and the bytes that it takes up.
-- source: runs
-- shape: table
-- empty: No table was built in seven days.
select
    builds.asset,
    builds.domain,
    round(sum(builds.seconds), 1) as seconds,
    count(distinct builds.run_id) as builds,
    round(sum(builds.seconds) / count(distinct builds.run_id), 2) as seconds_each,
    max(builds.rows) as rows,
    (select max(sizes.bytes) from sizes where sizes.asset = builds.asset) as bytes
from builds
where builds.started_at >= datetime(:as_of, '-7 days')
group by builds.asset, builds.domain
order by seconds desc, builds.asset
limit 10
