-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(meta={'feeds': ['mart_cells', 'mart_contacts']}) }}

{{ hub(
    src_pk='cell_hk',
    src_nk='cell_id',
    src_ldts='load_datetime',
    src_source='record_source',
    source_model=['stg_mart_cells', 'stg_mart_contacts'],
) }}
