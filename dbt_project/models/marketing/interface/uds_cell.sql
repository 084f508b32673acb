-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    cell_id,
    campaign_id,
    offer_id,
    channel_code,
    cell_name,
    is_control,
    planned_audience,
    extracted_at,
    load_seq
from {{ ref('int_cell_mapped') }}
where failed_mappings = ''
