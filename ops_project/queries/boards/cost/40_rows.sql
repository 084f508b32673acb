-- title: Rows landed by domain, 30 days
-- tells: Rows that were loaded from files that arrived in the last 30 days.
-- source: snapshot
-- shape: bars
select domain, sum(rows_loaded) as rows, count(*) as files, sum(size_bytes) as bytes
from ops.batches
where status = 'loaded' and arrived_at >= $as_of - interval 30 day
group by domain
order by rows desc, domain
