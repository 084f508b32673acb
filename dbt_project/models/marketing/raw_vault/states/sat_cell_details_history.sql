-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ sat_history(
    satellite='sat_cell_details',
    src_pk='cell_hk',
    src_hashdiff='cell_details_hashdiff',
    src_payload=['cell_name', 'is_control', 'planned_size', 'is_deleted'],
    src_ldts='load_datetime',
    src_source='record_source',
) }}
