-- title: Incidents
-- tells: Incidents that were open in the period: when they opened, and when they ended.
-- source: ledger
-- shape: table
select number, priority, title, domain, opened_at, case when resolved_at < :as_of then resolved_at end as resolved_at
from incidents
where opened_at < :as_of and (resolved_at is null or resolved_at >= :since)
order by priority, number
