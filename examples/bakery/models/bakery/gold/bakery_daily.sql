{{ config(materialized='table') }}

select
    business_date,
    shop,
    sum(pieces) as pieces,
    sum(revenue) as revenue
from {{ ref('bakery_lines') }}
group by business_date, shop
