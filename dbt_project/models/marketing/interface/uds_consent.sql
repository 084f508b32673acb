-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    customer_id,
    channel_code,
    consent_status,
    consent_source,
    consented_at,
    extracted_at,
    load_seq
from {{ ref('int_consent_mapped') }}
where failed_mappings = ''
