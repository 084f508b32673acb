-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_responses'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_responses'",
    },
    hashed_columns={
        'response_hk': ['response_id'],
        'customer_hk': ['customer_id'],
        'campaign_hk': ['campaign_id'],
        'offer_hk': ['offer_id'],
        'channel_hk': ['channel'],
        'link_response_hk': {
            'columns': ['response_id', 'customer_id', 'campaign_id', 'offer_id', 'channel'],
            'optional': ['offer_id'],
        },
        'response_details_hashdiff': {
            'is_hashdiff': true,
            'columns': [
                'treatment_id',
                'response_type',
                'responded_at',
                'response_value',
                'customer_id',
                'campaign_id',
                'offer_id',
                'channel',
                'is_deleted',
            ],
        },
    },
) }}
