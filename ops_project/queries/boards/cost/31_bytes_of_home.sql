-- title: Size of the parts of the home
-- tells: The newest measurement of each part: warehouse, snapshots, archive and others.
-- source: ledger
-- shape: bars
-- unit: bytes
-- empty: The home has not been measured yet. Each run measures it at its end.
select part, value as bytes
from (
    select
        case when check_name <> '' then check_name else asset end as part,
        value,
        row_number() over (partition by fingerprint order by seq desc) as newest
    from signals where kind = 'storage.bytes' and event_at <= :as_of
) as sizes
where newest = 1 and value is not null
order by bytes desc, part
