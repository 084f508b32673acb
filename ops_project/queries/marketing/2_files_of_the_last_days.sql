-- title: Files of the last days
-- tells: When each file of the last seven days arrived, its size, the rows that its control file counted, and the rows that were loaded.
select feed, business_date, file_name, arrived_at, size_bytes, status, control_rows, rows_in, rows_loaded,
    rows_quarantined, finding, message
from ops.batches
where domain = 'marketing' and business_date > $as_of_date - interval 7 day
order by business_date desc, feed, load_seq desc;
