-- title: Messages
-- tells: Messages that were written in the period, by their state.
-- source: ledger
-- shape: table
select state, count(*) as messages from outbox where created_at >= :since and created_at < :as_of group by state order by state
