-- title: Messages of seven days
-- tells: What became of the messages of the last seven days. Dead: given up, so that somebody was not told.
-- source: ledger
-- shape: bars
select state, count(*) as messages, max(attempts) as most_attempts
from outbox
where created_at >= :as_of - 7 * 86400
group by state
order by state
