-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_current(
    satellite='ma_sat_customer_consent',
    src_pk='customer_hk',
    src_cdk=['channel'],
    src_hashdiff='customer_consent_hashdiff',
    src_payload=['consent_status', 'consent_source', 'consented_at', 'is_deleted'],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
