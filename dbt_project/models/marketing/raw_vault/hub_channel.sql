-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(
    meta={'feeds': [
        'mart_cells',
        'mart_contacts',
        'mart_responses',
        'mart_contact_points',
        'mart_consents',
    ]},
) }}

{{ hub(
    src_pk='channel_hk',
    src_nk='channel',
    src_ldts='load_datetime',
    src_source='record_source',
    source_model={
        'stg_mart_cells': ['channel'],
        'stg_mart_contacts': ['channel'],
        'stg_mart_responses': ['channel'],
        'stg_mart_contact_points': ['contact_point_type'],
        'stg_mart_consents': ['channel'],
    },
) }}
