-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_cells']}) }}

{{ sat(
    src_pk='cell_hk',
    src_hashdiff='cell_details_hashdiff',
    src_payload=['cell_name', 'is_control', 'planned_size'],
    src_ldts='load_datetime',
    src_source='record_source',
    source_model='stg_mart_cells',
    src_extra_columns=['is_deleted'],
) }}
