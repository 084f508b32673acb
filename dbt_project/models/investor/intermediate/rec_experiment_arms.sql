{{ config(materialized='table') }}

with latest as (
    select experiment_id, max(business_date) as last_date
    from {{ source('bronze', 'experiment_assignments') }}
    group by experiment_id
),

units as (
    select
        assignments.experiment_id,
        latest.last_date,
        assignments.unit_id,
        count(distinct assignments.arm) as arms
    from {{ source('bronze', 'experiment_assignments') }} as assignments
    inner join latest
        on
            assignments.experiment_id = latest.experiment_id
            and assignments.business_date = latest.last_date
    group by assignments.experiment_id, latest.last_date, assignments.unit_id
)

select
    experiment_id,
    last_date,
    count(*) as units,
    sum(case when arms > 1 then 1 else 0 end) as units_in_both_arms,
    min(case when arms > 1 then unit_id end) as example_unit,
    {{ as_of() }} as dbt_updated_at
from units
group by experiment_id, last_date
