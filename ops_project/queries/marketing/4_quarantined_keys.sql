-- title: Quarantined rows by reason
-- tells: How many rows of each batch were refused and why, with the first and the last line. Values are left out.
select quarantine.feed, batches.business_date, quarantine.file_name, quarantine.column_name, quarantine.kind as reason,
    sum(quarantine.rows) as refused_rows, min(quarantine.line) as first_line, max(quarantine.line) as last_line
from ops.quarantine as quarantine
inner join ops.batches as batches on quarantine.batch_id = batches.batch_id
where batches.domain = 'marketing'
group by all
order by batches.business_date desc, refused_rows desc;
