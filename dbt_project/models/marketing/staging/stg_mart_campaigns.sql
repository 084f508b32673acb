-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_campaigns'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_campaigns'",
    },
    hashed_columns={
        'campaign_hk': ['campaign_id'],
        'campaign_details_hashdiff': {
            'is_hashdiff': true,
            'columns': [
                'campaign_name',
                'campaign_type',
                'campaign_status',
                'start_date',
                'end_date',
                'budget_amount',
                'currency',
                'is_deleted',
            ],
        },
    },
) }}
