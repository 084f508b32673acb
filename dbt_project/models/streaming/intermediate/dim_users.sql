{{
    config(
        materialized='incremental',
        incremental_strategy='rewind',
        unique_key='version_id',
        on_schema_change='fail',
        meta={'feeds': ['users']},
    )
}}

{%- set columns = ['country', 'plan', 'signup_date'] -%}

with extracts as (
    select * from {{ source('bronze', 'users') }}
    where {{ since_touched('business_date') }}
),

{{ scd2_versions('extracts', key='user_id', columns=columns, latest_by='updated_at', feed='users') }}

select
    version_id,
    user_id,
    {{ columns | join(',\n    ') }},
    valid_from,
    valid_to,
    is_current,
    {{ as_of() }} as dbt_updated_at
from versions
