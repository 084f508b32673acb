-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(
    meta={'feeds': [
        'mart_customers',
        'mart_contacts',
        'mart_responses',
        'mart_contact_points',
        'mart_consents',
    ]},
) }}

{{ hub(
    src_pk='customer_hk',
    src_nk='customer_id',
    src_ldts='load_datetime',
    src_source='record_source',
    source_model=[
        'stg_mart_customers',
        'stg_mart_contacts',
        'stg_mart_responses',
        'stg_mart_contact_points',
        'stg_mart_consents',
    ],
) }}
