-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_offers'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_offers'",
    },
    hashed_columns={
        'offer_hk': ['offer_id'],
        'offer_details_hashdiff': {
            'is_hashdiff': true,
            'columns': [
                'offer_name',
                'offer_type',
                'discount_percent',
                'valid_from',
                'valid_to',
                'is_deleted',
            ],
        },
    },
) }}
