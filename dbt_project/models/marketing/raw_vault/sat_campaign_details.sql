-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_campaigns']}) }}

{{ sat(
    src_pk='campaign_hk',
    src_hashdiff='campaign_details_hashdiff',
    src_payload=[
        'campaign_name',
        'campaign_type',
        'campaign_status',
        'start_date',
        'end_date',
        'budget_amount',
        'currency',
    ],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_campaigns',
    src_extra_columns=['is_deleted'],
) }}
