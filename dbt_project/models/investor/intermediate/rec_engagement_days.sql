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

-- The tested day is no part of its own baseline, and holidays are part of none.
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
    group by days.business_date
),

scored as (
    select
        days.*,
        coalesce(baselines.baseline_days, 0) as baseline_days,
        baselines.expected_units,
        -- A constant series has no noise of its own.
        (days.active_units - baselines.expected_units)
        / nullif(greatest(baselines.noise, 0.02 * baselines.expected_units), 0) as z_score
    from days
    left join baselines on days.business_date = baselines.business_date
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
        else 'Anomaly Detected'
    end as status,
    {{ as_of() }} as dbt_updated_at
from scored
