-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
select
    campaign_id,
    campaign_name,
    campaign_type,
    campaign_status,
    start_date,
    end_date,
    budget_amount,
    currency_code,
    extracted_at,
    load_seq
from {{ ref('int_campaign_mapped') }}
where failed_mappings = ''
