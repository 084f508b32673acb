-- title: Duplicate keys in the vault
-- tells: Business keys, or keys of one extract, that are in the vault more than once, and the batch that brought them first.
select 'hub_customer' as vault_table, customer_id as business_key, count(*) as rows, min(load_seq) as first_load_seq
from silver.hub_customer
group by customer_id
having count(*) > 1
union all
select 'link_contact', treatment_id, count(*), min(load_seq)
from silver.link_contact
group by treatment_id, link_contact_hk
having count(*) > 1
union all
select 'sat_customer_profile', cast(customer_hk as varchar), count(*), min(load_seq)
from silver.sat_customer_profile
group by customer_hk, load_datetime, load_seq
having count(*) > 1
order by vault_table, business_key;
