-- title: The largest tables
-- tells: Size of the ten largest tables, by their newest measurement before the end of the period.
-- source: ledger
-- shape: table
-- empty: The tables have not been measured yet.
select asset, value as bytes
from (
    select asset, value, row_number() over (partition by fingerprint order by seq desc) as newest
    from signals where kind = 'storage.asset_bytes' and event_at < :as_of
) as sizes
where newest = 1 and value is not null
order by bytes desc, asset
limit 10
