-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
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
    load_seq
from {{ ref('int_customer_mapped') }}
where failed_mappings = ''
