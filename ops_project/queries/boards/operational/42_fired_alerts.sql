-- title: Alerts of seven days by rule
-- tells: How often each rule fired in the last seven days, and how many of those alerts are still open.
-- source: ledger
-- shape: bars
select
    rule,
    count(*) as fired,
    sum(case when status = 'firing' then 1 else 0 end) as still_open
from alerts
where fired_at is not null and fired_at >= :as_of - 7 * 86400
group by rule
order by fired desc, rule
