-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_current(
    satellite='sat_contact_details',
    src_pk='contact_hk',
    src_hashdiff='contact_details_hashdiff',
    src_payload=['link_contact_hk', 'contact_status', 'contacted_at', 'contact_cost', 'is_deleted'],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
