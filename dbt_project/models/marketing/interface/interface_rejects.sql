-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

{{ interface_rejects(
    entities={
        'uds_customer': {'mapped': 'int_customer_mapped', 'key': ['customer_id']},
        'uds_contact_point': {
            'mapped': 'int_contact_point_mapped',
            'key': ['customer_id', 'channel_code', 'contact_point_number'],
        },
        'uds_consent': {'mapped': 'int_consent_mapped', 'key': ['customer_id', 'channel_code']},
        'uds_campaign': {'mapped': 'int_campaign_mapped', 'key': ['campaign_id']},
        'uds_cell': {'mapped': 'int_cell_mapped', 'key': ['cell_id']},
        'uds_offer': {'mapped': 'int_offer_mapped', 'key': ['offer_id']},
        'uds_contact': {'mapped': 'int_contact_mapped', 'key': ['contact_id']},
        'uds_response': {'mapped': 'int_response_mapped', 'key': ['response_id']},
    },
) }}
