-- title: Share of refused rows by day
-- tells: Quarantined rows as a percentage of all rows that arrived, by business date.
-- source: snapshot
-- shape: line
-- unit: %
select business_date, round(100.0 * sum(rows_quarantined) / nullif(sum(rows_in), 0), 4) as refused_percent
from ops.batches
where business_date > $as_of_date - 30 and business_date <= $as_of_date
group by business_date
order by business_date
