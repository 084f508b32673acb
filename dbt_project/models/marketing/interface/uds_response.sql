-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    response_id,
    contact_id,
    customer_id,
    campaign_id,
    offer_id,
    channel_code,
    response_type,
    is_conversion,
    responded_at,
    response_value,
    extracted_at,
    load_seq
from {{ ref('int_response_mapped') }}
where failed_mappings = ''
