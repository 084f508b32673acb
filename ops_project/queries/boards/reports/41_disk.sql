-- title: Disk
-- tells: The share of the disk that was in use, in percent: the highest and the newest reading of the period.
-- source: ledger
-- shape: table
-- empty: The disk was not measured in the period.
select
    max(value) as highest_percent,
    max(case when newest = 1 then value end) as newest_percent,
    count(*) as readings
from (
    select value, row_number() over (order by seq desc) as newest
    from signals where kind = 'resource.disk_percent' and event_at >= :since and event_at < :as_of
) as readings
having count(*) > 0
