{{
    config(
        materialized='incremental',
        incremental_strategy='rewind',
        unique_key='version_id',
        on_schema_change='fail',
        meta={'feeds': ['songs']},
    )
}}

{%- set columns = ['title', 'artist', 'album', 'genre', 'duration_seconds', 'released_date'] -%}

with extracts as (
    select * from {{ source('bronze', 'songs') }}
    where {{ since_touched('business_date') }}
),

{{ scd2_versions('extracts', key='song_id', columns=columns, latest_by='updated_at', feed='songs') }}

select
    version_id,
    song_id,
    {{ columns | join(',\n    ') }},
    valid_from,
    valid_to,
    is_current,
    {{ as_of() }} as dbt_updated_at
from versions
