{{ config(materialized='table') }}

{#
  Whether the units of sales are units that the other sources know. Some units buy before another source contains them:
  at most 1 % with four simulated days, and 6 % with one. So a day is judged only if product use is known for several
  days.
#}
with known as (
    select unit_id from {{ ref('int_unit_event_days') }}
    union
    select unit_id from {{ source('bronze', 'experiment_assignments') }}
),

history as (
    select count(distinct business_date) as known_days from {{ ref('int_unit_event_days') }}
),

days as (
    select
        sales.business_date,
        count(*) as transactions,
        sum(case when known.unit_id is null then 1 else 0 end) as unknown_units,
        min(case when known.unit_id is null then sales.unit_id end) as example_unit
    from {{ ref('fact_transactions') }} as sales
    left join known on sales.unit_id = known.unit_id
    group by sales.business_date
)

select
    days.business_date,
    days.transactions,
    cast(days.unknown_units as {{ dbt.type_bigint() }}) as unknown_units,
    days.example_unit,
    history.known_days < {{ var('investor_unit_days') }}
    or days.unknown_units <= {{ var('investor_unknown_units') }}
    or days.unknown_units * 100 <= {{ var('investor_unknown_percent') }} * days.transactions as is_within,
    {{ as_of() }} as dbt_updated_at
from days
cross join history
