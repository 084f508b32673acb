-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_offers', 'mart_cells', 'mart_contacts', 'mart_responses']}) }}

{{ hub(
    src_pk='offer_hk',
    src_nk='offer_id',
    src_ldts='load_datetime',
    src_source='record_source',
    source_model=['stg_mart_offers', 'stg_mart_cells', 'stg_mart_contacts', 'stg_mart_responses'],
) }}
