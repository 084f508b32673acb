-- title: Findings
-- tells: What was found wrong with files and tables in the period, and whether it was still open at its end.
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
