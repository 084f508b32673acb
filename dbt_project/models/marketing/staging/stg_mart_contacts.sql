-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_contacts'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_contacts'",
    },
    hashed_columns={
        'contact_hk': ['treatment_id'],
        'customer_hk': ['customer_id'],
        'campaign_hk': ['campaign_id'],
        'cell_hk': ['cell_id'],
        'offer_hk': ['offer_id'],
        'channel_hk': ['channel'],
        'link_contact_hk': {
            'columns': ['treatment_id', 'customer_id', 'campaign_id', 'cell_id', 'offer_id', 'channel'],
            'optional': ['offer_id'],
        },
        'contact_details_hashdiff': {
            'is_hashdiff': true,
            'columns': [
                'contact_status',
                'contacted_at',
                'contact_cost',
                'customer_id',
                'campaign_id',
                'cell_id',
                'offer_id',
                'channel',
                'is_deleted',
            ],
        },
    },
) }}
