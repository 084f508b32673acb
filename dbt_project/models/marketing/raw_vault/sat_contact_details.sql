-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_contacts']}) }}

{{ sat(
    src_pk='contact_hk',
    src_hashdiff='contact_details_hashdiff',
    src_payload=['link_contact_hk', 'contact_status', 'contacted_at', 'contact_cost'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_contacts',
    src_extra_columns=['is_deleted'],
) }}
