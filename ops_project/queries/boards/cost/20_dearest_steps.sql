-- title: The ten dearest steps, seven days
-- tells: Steps by the seconds that they took in the last seven days, as the watchers measured them.
-- source: ledger
-- shape: bars
-- unit: s
-- empty: Nobody has measured steps: the watchers do, under `ops ui` or `ops watch`.
select step, round(cast(sum(seconds) as numeric), 1) as seconds, count(*) as runs
from (
    select check_name as step, run_id, max(value) as seconds
    from signals
    where kind = 'step.duration_seconds' and event_at >= :as_of - 7 * 86400 and event_at <= :as_of and run_id <> ''
    group by check_name, run_id
) as steps
group by step
order by seconds desc, step
limit 10
