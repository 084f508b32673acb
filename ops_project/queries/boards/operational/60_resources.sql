-- title: Newest readings of the machine
-- tells: The newest reading of each resource in the last day: disk, CPU and memory in percent, waiting runs as a count.
-- source: ledger
-- shape: table
-- empty: Nothing was measured in the last day. `ops ui` and `ops watch` measure it while they run.
select kind as reading, subject, value, round(cast((:as_of - event_at) / 60 as numeric), 0) as minutes_old
from (
    select
        kind,
        case when asset <> '' then asset when check_name <> '' then check_name else pipeline end as subject,
        value,
        event_at,
        row_number() over (partition by kind, fingerprint order by seq desc) as newest
    from signals
    where
        kind in (
            'resource.disk_percent', 'resource.cpu_percent', 'resource.memory_percent', 'resource.queue_length',
            'run.queued_seconds'
        )
        and event_at >= :as_of - 86400
        and event_at <= :as_of
) as readings
where newest = 1
order by reading, subject
