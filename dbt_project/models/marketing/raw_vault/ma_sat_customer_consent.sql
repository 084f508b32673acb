-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_consents']}) }}

{{ ma_sat(
    src_pk='customer_hk',
    src_cdk=['channel'],
    src_hashdiff='customer_consent_hashdiff',
    src_payload=['consent_status', 'consent_source', 'consented_at'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_consents',
    src_extra_columns=['is_deleted'],
) }}
