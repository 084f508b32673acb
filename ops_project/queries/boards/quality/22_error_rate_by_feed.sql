-- title: Share of refused rows by feed, seven days
-- tells: Quarantined rows as a percentage of all rows that arrived in the last seven days.
-- source: snapshot
-- shape: bars
-- unit: %
select feed, round(100.0 * sum(rows_quarantined) / nullif(sum(rows_in), 0), 4) as refused_percent, sum(rows_in) as rows
from ops.batches
where arrived_at >= $as_of - interval 7 day
group by feed
order by refused_percent desc nulls first, feed
