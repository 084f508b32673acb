-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_responses']}) }}

{{ link(
    src_pk='link_response_hk',
    src_fk=['customer_hk', 'campaign_hk', 'offer_hk', 'channel_hk'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_responses',
    src_extra_columns=['response_hk', 'response_id'],
    stated_once=true,
) }}
