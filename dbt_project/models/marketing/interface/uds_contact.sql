-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    contact_id,
    customer_id,
    campaign_id,
    cell_id,
    offer_id,
    channel_code,
    contact_status,
    contacted_at,
    contact_cost,
    extracted_at,
    load_seq
from {{ ref('int_contact_mapped') }}
where failed_mappings = ''
