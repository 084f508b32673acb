-- title: Alerts by rule
-- tells: How often each rule fired in the period.
-- source: ledger
-- shape: table
select rule, severity, count(*) as fired
from alerts
where fired_at >= :since and fired_at < :as_of
group by rule, severity
order by fired desc, rule
