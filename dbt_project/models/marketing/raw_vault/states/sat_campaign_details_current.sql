-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_current(
    satellite='sat_campaign_details',
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
        'is_deleted',
    ],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
