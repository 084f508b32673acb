{{ config(materialized='table') }}

select
    sale_id,
    shop,
    product,
    business_date,
    pieces,
    {{ bakery_revenue('pieces', 'price') }} as revenue
from {{ source('bronze', 'bakery_sales') }}
