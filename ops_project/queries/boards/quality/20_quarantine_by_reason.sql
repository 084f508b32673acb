-- title: Refused rows by reason, 30 days
-- tells: The rows of files of the last 30 days that landing put into quarantine, by its reason.
-- source: snapshot
-- shape: bars
select quarantine.reason, sum(quarantine.rows) as rows, count(distinct quarantine.batch_id) as files
from ops.quarantine
inner join ops.batches on quarantine.batch_id = batches.batch_id
where batches.arrived_at >= $as_of - interval 30 day
group by quarantine.reason
order by rows desc, quarantine.reason
