-- title: Open incidents
-- tells: Incidents that are not resolved.
-- source: ledger
-- shape: number
select count(*) as incidents from incidents where status <> 'resolved'
