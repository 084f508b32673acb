-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with hub_customer as (
    {{ standing_keys(
        hub='hub_customer',
        src_pk='customer_hk',
        src_nk='customer_id',
        described_by='sat_customer_profile_current',
        source_model={
            'stg_mart_customers': ['customer_id'],
            'stg_mart_contacts': ['customer_id'],
            'stg_mart_responses': ['customer_id'],
            'stg_mart_contact_points': ['customer_id'],
            'stg_mart_consents': ['customer_id'],
        },
    ) }}
),

sat_customer_profile as (
    select * from {{ ref('sat_customer_profile_current') }}
),

mapped as (
    select
        hub_customer.customer_id,
        trim(sat_customer_profile.first_name) as first_name,
        trim(sat_customer_profile.last_name) as last_name,
        lower(sat_customer_profile.email) as email,
        sat_customer_profile.birth_date,
        sat_customer_profile.gender,
        sat_customer_profile.street,
        sat_customer_profile.city,
        sat_customer_profile.state as region_code,
        sat_customer_profile.postal_code,
        upper(sat_customer_profile.country) as country_code,
        sat_customer_profile.customer_status,
        sat_customer_profile.value_band,
        cast(coalesce(sat_customer_profile.lifetime_value, 0) as decimal(18,2)) as lifetime_value,
        sat_customer_profile.created_date as registered_on,
        sat_customer_profile.load_datetime as extracted_at,
        coalesce(sat_customer_profile.load_seq, hub_customer.named_in) as load_seq
    from hub_customer
    left join sat_customer_profile on hub_customer.customer_hk = sat_customer_profile.customer_hk
    where not coalesce(sat_customer_profile.is_deleted, false)
)

select
    customer_id,
    first_name,
    last_name,
    email,
    birth_date,
    gender,
    street,
    city,
    region_code,
    postal_code,
    country_code,
    customer_status,
    value_band,
    lifetime_value,
    registered_on,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=[
            'customer_id',
            'first_name',
            'last_name',
            'country_code',
            'customer_status',
            'value_band',
            'lifetime_value',
            'registered_on',
        ],
    ) }} as failed_mappings
from mapped
