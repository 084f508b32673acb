-- title: What each domain cost
-- tells: For each domain: the runs of 30 days, the seconds that they took and their share of all, the seconds of the last seven days and of the seven before, the rows that landed in 30 days, and the bytes that its tables take up now.
-- source: runs
-- shape: table
-- empty: Nothing has run in 30 days.
with spent as (
    select
        domain,
        count(*) as runs,
        sum(seconds) as seconds,
        sum(case when started_at >= datetime(:as_of, '-7 days') then seconds end) as this_week,
        sum(
            case
                when started_at >= datetime(:as_of, '-14 days') and started_at < datetime(:as_of, '-7 days') then seconds
            end
        ) as week_before
    from runs
    where started_at >= datetime(:as_of, '-30 days') and started_at <= :as_of and domain <> ''
    group by domain
)

select
    domain,
    runs,
    round(seconds, 1) as seconds,
    round(100.0 * seconds / nullif(sum(seconds) over (), 0), 1) as share_percent,
    round(this_week, 1) as seconds_this_week,
    round(week_before, 1) as seconds_week_before,
    (
        select sum(landed.rows) from landed
        where landed.domain = spent.domain and landed.business_date >= date(local_day(:as_of), '-30 days')
    ) as rows_landed,
    (select sum(sizes.bytes) from sizes where sizes.domain = spent.domain) as table_bytes
from spent
order by seconds desc, domain
