-- title: Deadlines missed
-- tells: Service levels that were missed in the period, and how often.
-- source: ledger
-- shape: table
select check_name as promise, pipeline, count(distinct occurrence) as missed
from signals
where kind = 'sla.breach' and state = 'firing' and event_at >= :since and event_at < :as_of
group by check_name, pipeline
order by missed desc, promise
