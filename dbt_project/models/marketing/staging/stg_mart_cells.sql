-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_cells'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_cells'",
    },
    hashed_columns={
        'cell_hk': ['cell_id'],
        'campaign_hk': ['campaign_id'],
        'offer_hk': ['offer_id'],
        'channel_hk': ['channel'],
        'link_campaign_offer_hk': {
            'columns': ['cell_id', 'campaign_id', 'offer_id', 'channel'],
            'optional': ['offer_id'],
        },
        'cell_details_hashdiff': {
            'is_hashdiff': true,
            'columns': ['cell_name', 'is_control', 'planned_size', 'is_deleted'],
        },
        'campaign_offer_effectivity_hashdiff': {
            'is_hashdiff': true,
            'columns': ['campaign_id', 'offer_id', 'channel', 'is_deleted'],
        },
    },
) }}
