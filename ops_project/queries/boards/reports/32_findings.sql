-- title: Findings
-- tells: The findings about files and tables in the period, and whether each was still open at the end of the period.
-- source: snapshot
-- shape: table
select
    coalesce(feed, asset) as subject,
    kind,
    business_date,
    case when resolved_at is null or resolved_at >= $as_of then 'open' else 'ended' end as state
from ops.findings
where observed_at < $as_of and (observed_at >= $since or resolved_at is null or resolved_at >= $as_of)
order by state desc, subject, business_date
