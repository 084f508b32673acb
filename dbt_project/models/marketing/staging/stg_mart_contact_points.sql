-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_contact_points'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_contact_points'",
    },
    hashed_columns={
        'customer_hk': ['customer_id'],
        'customer_contact_point_hashdiff': {
            'is_hashdiff': true,
            'columns': ['contact_point_value', 'is_preferred', 'is_valid', 'is_deleted'],
        },
    },
) }}
