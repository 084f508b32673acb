create or replace table silver.dim_products as
with states as (
    select *, hash(product_name, category, subcategory, brand, list_price, unit_cost, is_active) as state
    from bronze.products
    qualify row_number() over (partition by product_id, business_date order by updated_at desc nulls last, state) = 1
),
changes as (
    select * from states
    qualify state is distinct from lag(state) over (partition by product_id order by business_date)
)
select
    md5(product_id || '|' || business_date::varchar) as version_id,
    product_id, product_name, category, subcategory, brand, list_price, unit_cost, is_active,
    business_date as valid_from,
    lead(business_date) over (partition by product_id order by business_date) as valid_to,
    lead(business_date) over (partition by product_id order by business_date) is null as is_current,
    $as_of::timestamp as dbt_updated_at
from changes;
