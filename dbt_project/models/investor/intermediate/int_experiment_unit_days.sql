{{ config(materialized='table') }}

-- Purchases before a unit is assigned, or after its experiment has ended, are not a result of the experiment.
select
    assignments.experiment_id,
    assignments.arm,
    assignments.unit_id,
    transactions.business_date,
    count(*) as transactions,
    sum(transactions.revenue) as revenue,
    sum(transactions.cost) as cost,
    sum(transactions.profit) as profit,
    {{ as_of() }} as dbt_updated_at
from {{ ref('int_experiment_assignments') }} as assignments
inner join {{ ref('fact_transactions') }} as transactions
    on
        assignments.unit_id = transactions.unit_id
        and transactions.occurred_at >= assignments.assigned_at
        and transactions.business_date <= assignments.last_date
group by assignments.experiment_id, assignments.arm, assignments.unit_id, transactions.business_date
