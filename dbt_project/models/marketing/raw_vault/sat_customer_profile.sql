-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_customers']}) }}

{{ sat(
    src_pk='customer_hk',
    src_hashdiff='customer_profile_hashdiff',
    src_payload=[
        'first_name',
        'last_name',
        'email',
        'birth_date',
        'gender',
        'street',
        'city',
        'state',
        'postal_code',
        'country',
        'customer_status',
        'value_band',
        'lifetime_value',
        'created_date',
    ],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_customers',
    src_extra_columns=['is_deleted'],
) }}
