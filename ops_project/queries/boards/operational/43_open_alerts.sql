-- title: Open alerts
-- tells: Alerts that fire now.
-- source: ledger
-- shape: number
select count(*) as alerts from alerts where active and status = 'firing'
