{{
    config(
        materialized='incremental',
        incremental_strategy='rewind',
        unique_key='version_id',
        on_schema_change='fail',
        meta={'feeds': ['customers']},
    )
}}

{%- set columns = [
    'first_name', 'last_name', 'email', 'phone', 'country', 'city', 'signup_date', 'marketing_consent', 'loyalty_tier',
] %}

with extracts as (
    select * from {{ source('bronze', 'customers') }}
    where {{ since_touched('business_date') }}
),

{{ scd2_versions('extracts', key='customer_id', columns=columns, latest_by='updated_at', feed='customers') }}

select
    version_id,
    customer_id,
    {{ columns | join(',\n    ') }},
    valid_from,
    valid_to,
    is_current,
    {{ as_of() }} as dbt_updated_at
from versions
