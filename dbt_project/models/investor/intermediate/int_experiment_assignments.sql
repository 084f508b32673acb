{{ config(materialized='table') }}

-- Later extracts do not contain an experiment that has ended. So the last extract that contains it counts.
with latest as (
    select experiment_id, max(business_date) as last_date
    from {{ source('bronze', 'experiment_assignments') }}
    group by experiment_id
),

assigned as (
    select
        assignments.*,
        latest.last_date,
        row_number() over (
            partition by assignments.experiment_id, assignments.unit_id
            order by assignments._load_seq desc, assignments._line
        ) as place,
        min(assignments.arm) over (partition by assignments.experiment_id, assignments.unit_id)
        = max(assignments.arm) over (partition by assignments.experiment_id, assignments.unit_id) as is_in_one_arm
    from {{ source('bronze', 'experiment_assignments') }} as assignments
    inner join latest
        on
            assignments.experiment_id = latest.experiment_id
            and assignments.business_date = latest.last_date
)

select
    experiment_id,
    unit_id,
    arm,
    expected_share,
    assigned_at,
    last_date,
    {{ as_of() }} as dbt_updated_at
from assigned
-- A unit in both arms is left out, because its sales would count twice. rec_experiment_arms lists these units.
where place = 1 and is_in_one_arm
