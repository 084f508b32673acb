-- title: CPU and memory by table, one day
-- tells: The highest reading of the process that builds each table, as a share of the machine, while `ops ui` or `ops watch` ran.
-- source: ledger
-- shape: table
-- empty: Nothing was measured in the last day. `ops ui` and `ops watch` measure it while they run.
select
    asset,
    max(case when kind = 'resource.cpu_percent' then value end) as highest_cpu_percent,
    max(case when kind = 'resource.memory_percent' then value end) as highest_memory_percent
from signals
where
    kind in ('resource.cpu_percent', 'resource.memory_percent')
    and asset <> ''
    and event_at >= :as_of - 86400
    and event_at <= :as_of
group by asset
order by highest_cpu_percent desc
limit 10
