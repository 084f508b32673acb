-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    offer_id,
    offer_name,
    offer_type,
    discount_percent,
    valid_from,
    valid_to,
    extracted_at,
    load_seq
from {{ ref('int_offer_mapped') }}
where failed_mappings = ''
