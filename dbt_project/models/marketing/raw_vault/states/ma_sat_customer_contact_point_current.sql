-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_current(
    satellite='ma_sat_customer_contact_point',
    src_pk='customer_hk',
    src_cdk=['contact_point_type', 'contact_point_number'],
    src_hashdiff='customer_contact_point_hashdiff',
    src_payload=['contact_point_value', 'is_preferred', 'is_valid', 'is_deleted'],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
