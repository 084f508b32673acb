-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_history(
    satellite='eff_sat_campaign_offer',
    src_pk='cell_hk',
    src_hashdiff='campaign_offer_effectivity_hashdiff',
    src_payload=['link_campaign_offer_hk', 'campaign_hk', 'offer_hk', 'channel_hk', 'is_deleted'],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
