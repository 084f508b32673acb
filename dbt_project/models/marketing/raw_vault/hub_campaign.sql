-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_campaigns', 'mart_cells', 'mart_contacts', 'mart_responses']}) }}

{{ hub(
    src_pk='campaign_hk',
    src_nk='campaign_id',
    src_ldts='load_datetime',
    src_source='record_source',
    source_model=['stg_mart_campaigns', 'stg_mart_cells', 'stg_mart_contacts', 'stg_mart_responses'],
) }}
