-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_history(
    satellite='sat_response_details',
    src_pk='response_hk',
    src_hashdiff='response_details_hashdiff',
    src_payload=[
        'link_response_hk',
        'treatment_id',
        'response_type',
        'responded_at',
        'response_value',
        'is_deleted',
    ],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
