-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_cells']}) }}

{{ link(
    src_pk='link_campaign_offer_hk',
    src_fk=['cell_hk', 'campaign_hk', 'offer_hk', 'channel_hk'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_cells',
    stated_once=true,
) }}
