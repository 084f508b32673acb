-- title: Findings of 30 days by kind
-- tells: The findings about files and tables of the last 30 days, and how many of them are still open.
-- source: snapshot
-- shape: bars
select kind, count(*) as findings, count(*) filter (state = 'open') as still_open
from ops.findings
where observed_at >= $as_of - interval 30 day
group by kind
order by findings desc, kind
