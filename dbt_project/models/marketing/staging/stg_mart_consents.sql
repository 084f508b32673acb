-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ stage(
    source_model={'bronze': 'mart_consents'},
    derived_columns={
        'is_deleted': "op = 'D'",
        'load_datetime': 'cast(business_date as timestamp)',
        'record_source': "'mart_consents'",
    },
    hashed_columns={
        'customer_hk': ['customer_id'],
        'customer_consent_hashdiff': {
            'is_hashdiff': true,
            'columns': ['consent_status', 'consent_source', 'consented_at', 'is_deleted'],
        },
    },
) }}
