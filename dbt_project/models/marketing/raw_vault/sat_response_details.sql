-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_responses']}) }}

{{ sat(
    src_pk='response_hk',
    src_hashdiff='response_details_hashdiff',
    src_payload=['link_response_hk', 'treatment_id', 'response_type', 'responded_at', 'response_value'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_responses',
    src_extra_columns=['is_deleted'],
) }}
