-- title: Interface rejects by mapping
-- tells: How many rows each mapping keeps out of the interface tables, and why, with the batch that brought them.
select rejects.mapping, rejects.reason, count(*) as rejected_rows, batches.feed, batches.business_date,
    min(substring(rejects.entity_key, 1, 3) || '***') as masked_sample
from silver.interface_rejects as rejects
left join ops.batches as batches on rejects.load_seq = batches.load_seq
group by all
order by rejected_rows desc, rejects.mapping;
