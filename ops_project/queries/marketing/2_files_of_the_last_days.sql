-- title: Files of the last days
-- tells: Which file of which feed arrived when, how big it was, what the control file counted and what was loaded.
select feed, business_date, file_name, arrived_at, size_bytes, status, control_rows, rows_in, rows_loaded,
    rows_quarantined, finding, message
from ops.batches
where domain = 'marketing' and business_date > $as_of_date - interval 7 day
order by business_date desc, feed, load_seq desc;
