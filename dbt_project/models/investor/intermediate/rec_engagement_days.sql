{{ config(materialized='table') }}

with days as (
    select
        business_date,
        count(*) as active_units,
        sum(sessions) as sessions,
        sum(engaged_seconds) as engaged_seconds,
        {{ is_us_holiday('business_date') }} as is_holiday
    from {{ ref('int_unit_event_days') }}
    group by business_date
),

-- A day whose alarm somebody judged false.
judged as (
    select distinct business_date
    from {{ source('ops', 'excluded_points') }}
    where asset in ('bronze/product_events', 'silver/rec_engagement_days')
),

-- The tested day is no part of its own baseline; holidays and days judged false are part of none.
baselines as (
    select
        days.business_date,
        count(*) as baseline_days,
        avg(cast(before.active_units as double)) as expected_units,
        stddev_samp(cast(before.active_units as double)) as noise
    from days
    inner join days as before
        on
            before.business_date < days.business_date
            and before.business_date >= days.business_date - 28
            and not before.is_holiday
    left join judged on before.business_date = judged.business_date
    where judged.business_date is null
    group by days.business_date
),

scored as (
    select
        days.*,
        judged.business_date is not null as is_judged_normal,
        coalesce(baselines.baseline_days, 0) as baseline_days,
        baselines.expected_units,
        -- A constant series has no noise of its own.
        (days.active_units - baselines.expected_units)
        / nullif(greatest(baselines.noise, 0.02 * baselines.expected_units), 0) as z_score
    from days
    left join baselines on days.business_date = baselines.business_date
    left join judged on days.business_date = judged.business_date
)

select
    business_date,
    active_units,
    sessions,
    engaged_seconds,
    is_holiday,
    baseline_days,
    round(expected_units, 1) as expected_units,
    round(z_score, 2) as z_score,
    case
        when baseline_days < 8 or z_score is null then 'Insufficient History'
        when abs(z_score) <= {{ var('investor_anomaly_z') }} then 'Normal'
        when is_holiday then 'Expected Holiday'
        when is_judged_normal then 'Judged Normal'
        else 'Anomaly Detected'
    end as status,
    {{ as_of() }} as dbt_updated_at
from scored
