{{
    config(
        materialized='incremental',
        incremental_strategy='rewind',
        unique_key='version_id',
        on_schema_change='fail',
        meta={'feeds': ['products']},
    )
}}

{%- set columns = ['product_name', 'category', 'subcategory', 'brand', 'list_price', 'unit_cost', 'is_active'] %}

with extracts as (
    select * from {{ source('bronze', 'products') }}
    where {{ since_touched('business_date') }}
),

{{ scd2_versions('extracts', key='product_id', columns=columns, latest_by='updated_at', feed='products') }}

select
    version_id,
    product_id,
    {{ columns | join(',\n    ') }},
    valid_from,
    valid_to,
    is_current,
    {{ as_of() }} as dbt_updated_at
from versions
