-- title: The ten largest tables
-- tells: Size of each table in the warehouse, by its newest measurement.
-- source: ledger
-- shape: bars
-- unit: bytes
-- empty: The tables have not been measured yet. Each run measures them at its end.
select asset, value as bytes, domain
from (
    select asset, value, domain, row_number() over (partition by fingerprint order by seq desc) as newest
    from signals where kind = 'storage.asset_bytes' and event_at <= :as_of
) as sizes
where newest = 1 and value is not null
order by bytes desc, asset
limit 10
