-- title: Reconciliations
-- tells: Comparisons of source and target in the period: how many were made, and how many did not agree.
-- source: ledger
-- shape: table
-- empty: Nothing was reconciled in the period.
select
    asset,
    check_name as reconciliation,
    count(*) as compared,
    sum(case when state = 'firing' then 1 else 0 end) as breaks
from signals
where kind = 'reconciliation.break' and event_at >= :since and event_at < :as_of
group by asset, check_name
order by breaks desc, asset
