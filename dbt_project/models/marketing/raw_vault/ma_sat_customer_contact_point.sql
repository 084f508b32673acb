-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_contact_points']}) }}

{{ ma_sat(
    src_pk='customer_hk',
    src_cdk=['contact_point_type', 'contact_point_number'],
    src_hashdiff='customer_contact_point_hashdiff',
    src_payload=['contact_point_value', 'is_preferred', 'is_valid'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_contact_points',
    src_extra_columns=['is_deleted'],
) }}
