create or replace table silver.dim_customers as
with states as (
    select
        *,
        hash(first_name, last_name, email, phone, country, city, signup_date, marketing_consent, loyalty_tier) as state
    from bronze.customers
    qualify row_number() over (partition by customer_id, business_date order by updated_at desc nulls last, state) = 1
),
changes as (
    select * from states
    qualify state is distinct from lag(state) over (partition by customer_id order by business_date)
)
select
    md5(customer_id || '|' || business_date::varchar) as version_id,
    customer_id, first_name, last_name, email, phone, country, city, signup_date, marketing_consent, loyalty_tier,
    business_date as valid_from,
    lead(business_date) over (partition by customer_id order by business_date) as valid_to,
    lead(business_date) over (partition by customer_id order by business_date) is null as is_current,
    $as_of::timestamp as dbt_updated_at
from changes;
