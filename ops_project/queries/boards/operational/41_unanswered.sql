-- title: Unacknowledged incidents
-- tells: Open incidents that nobody has acknowledged.
-- source: ledger
-- shape: number
select count(*) as incidents from incidents where status = 'triggered'
