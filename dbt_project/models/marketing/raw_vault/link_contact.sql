-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_contacts']}) }}

{{ link(
    src_pk='link_contact_hk',
    src_fk=['customer_hk', 'campaign_hk', 'cell_hk', 'offer_hk', 'channel_hk'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_contacts',
    src_extra_columns=['contact_hk', 'treatment_id'],
    stated_once=true,
) }}
