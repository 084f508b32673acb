-- title: Feeds that came late or not at all, seven days
-- tells: Files of the last seven days that came after their deadline, or have not come.
-- source: snapshot
-- shape: table
select feed, business_date, kind, state, message, observed_at
from ops.findings
where observed_at >= $as_of - interval 7 day and feed is not null and kind in ('source_late', 'source_missing')
order by observed_at desc, feed
