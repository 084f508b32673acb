create or replace table silver.fact_web_events as
with contested as (
    select business_date from bronze.web_events group by business_date having min(_load_seq) <> max(_load_seq)
),
latest as (
    select * from bronze.web_events where business_date not in (select business_date from contested)
    union all
    select * from bronze.web_events where business_date in (select business_date from contested)
    qualify row_number() over (partition by business_date, event_id order by _load_seq desc, _line desc) = 1
)
select
    event_id, session_id, customer_id, product_id, event_type, device, source, page_url, occurred_at,
    business_date as event_date, business_date, $as_of::timestamp as dbt_updated_at
from latest;
