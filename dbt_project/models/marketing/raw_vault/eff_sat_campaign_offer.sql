-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_cells']}) }}

{{ eff_sat(
    src_pk='link_campaign_offer_hk',
    src_dfk='cell_hk',
    src_sfk=['campaign_hk', 'offer_hk', 'channel_hk'],
    src_hashdiff='campaign_offer_effectivity_hashdiff',
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_cells',
    src_extra_columns=['is_deleted'],
) }}
