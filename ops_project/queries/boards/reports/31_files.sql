-- title: Files
-- tells: Files that were processed in the period, by domain: loaded, refused, rows loaded and rows put into quarantine.
-- source: snapshot
-- shape: table
select
    domain,
    count(*) filter (status = 'loaded') as loaded,
    count(*) filter (status <> 'loaded') as refused,
    sum(rows_loaded) as rows_loaded,
    sum(rows_quarantined) as rows_quarantined,
    sum(size_bytes) as bytes
from ops.batches
where loaded_at >= $since and loaded_at < $as_of
group by domain
order by domain
