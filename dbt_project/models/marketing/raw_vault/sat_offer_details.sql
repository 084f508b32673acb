-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_offers']}) }}

{{ sat(
    src_pk='offer_hk',
    src_hashdiff='offer_details_hashdiff',
    src_payload=['offer_name', 'offer_type', 'discount_percent', 'valid_from', 'valid_to'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_offers',
    src_extra_columns=['is_deleted'],
) }}
