{{ config(materialized='view') }}

{#
  Every version that was delivered, with the date of its file. So a later build can compute the figures as they were
  known on a past day. A refund sets the revenue to 0 and does not change the cost.
#}
select
    transactions.transaction_id,
    transactions.unit_id,
    transactions.occurred_at,
    transactions.product_line,
    transactions.region,
    transactions.channel,
    transactions.quantity,
    case
        when transactions.status = 'refunded' then 0
        else transactions.quantity * transactions.unit_revenue
    end as revenue,
    transactions.quantity * transactions.unit_cost as cost,
    transactions.status,
    transactions.updated_at,
    batches.business_date as known_date,
    batches.part as known_part,
    transactions._batch_id as batch_id,
    transactions._load_seq as load_seq,
    transactions._line as line,
    transactions.business_date
from {{ source('bronze', 'transactions') }} as transactions
inner join {{ source('ops', 'batches') }} as batches on transactions._batch_id = batches.batch_id
