create or replace table silver.fact_exchange_rates as
select
    currency, business_date as rate_date, rate as exchange_rate, published_at, business_date,
    $as_of::timestamp as dbt_updated_at
from bronze.exchange_rates
qualify row_number() over (partition by currency, business_date order by _load_seq desc, _line desc) = 1;
