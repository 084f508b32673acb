{{ config(materialized='view') }}

-- A change that came again in a later delivery counts once, as it was delivered last.
with changes as (
    select
        *,
        row_number() over (partition by business_date, cdc_seq order by _load_seq desc, _line desc) as place
    from {{ source('bronze', 'policies') }}
)

select
    cdc_seq,
    policy_id,
    holder_id,
    product,
    region,
    policy_status,
    op,
    premium,
    op = 'D' as is_erased,
    effective_date,
    cancelled_date,
    changed_at,
    business_date
from changes
where place = 1
