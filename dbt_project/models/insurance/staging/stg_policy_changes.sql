{{ config(materialized='view') }}

-- A change that arrived twice in the files of one date counts once, with its newest version.
with changes as (
    select
        deliveries.*,
        row_number() over (
            partition by deliveries.business_date, deliveries.cdc_seq order by {{ newest_first('policies') }}
        ) as place
    from {{ source('bronze', 'policies') }} as deliveries
    left join ({{ files_of_batches() }}) as files on deliveries._batch_id = files._of_batch
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
