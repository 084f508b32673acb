-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    customer_id,
    channel_code,
    contact_point_number,
    contact_point_value,
    is_preferred,
    is_valid,
    extracted_at,
    load_seq
from {{ ref('int_contact_point_mapped') }}
where failed_mappings = ''
