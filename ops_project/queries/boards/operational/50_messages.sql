-- title: Messages of seven days
-- tells: The messages of the last seven days by their state. Dead means that delivery was given up, so a recipient was not told.
-- source: ledger
-- shape: bars
select state, count(*) as messages, max(attempts) as most_attempts
from outbox
where created_at >= :as_of - 7 * 86400
group by state
order by state
