-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_customers'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_customers'",
    },
    hashed_columns={
        'customer_hk': ['customer_id'],
        'customer_profile_hashdiff': {
            'is_hashdiff': true,
            'columns': [
                'first_name',
                'last_name',
                'email',
                'birth_date',
                'gender',
                'street',
                'city',
                'state',
                'postal_code',
                'country',
                'customer_status',
                'value_band',
                'lifetime_value',
                'created_date',
                'is_deleted',
            ],
        },
    },
) }}
