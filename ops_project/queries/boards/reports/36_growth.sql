-- title: Growth by month
-- tells: Rows that were loaded, and bytes that arrived, by month.
-- source: snapshot
-- shape: table
-- empty: Nothing has been loaded yet.
select strftime(loaded_at at time zone 'UTC' at time zone $zone, '%Y-%m') as month, sum(rows_loaded) as rows_loaded, sum(size_bytes) as bytes, count(*) as files
from ops.batches
where loaded_at < $as_of
group by 1
order by 1 desc
limit 12
