-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_history(
    satellite='sat_offer_details',
    src_pk='offer_hk',
    src_hashdiff='offer_details_hashdiff',
    src_payload=['offer_name', 'offer_type', 'discount_percent', 'valid_from', 'valid_to', 'is_deleted'],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
