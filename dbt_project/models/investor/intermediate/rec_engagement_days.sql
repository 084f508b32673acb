{{ config(materialized='table') }}

{#
  Compares each day with the eight weeks before it, for each of three measures. It computes with logarithms, in which
  steady growth is a straight line and the effect of a weekday is a constant.

  From 28 days of history on, the baseline is the level of the same weekday. It is carried forward by the common growth
  of all weekdays, with the noise of all of them. With less history, the baseline is the mean of all days. The tested
  day is not part of its own baseline. These days are part of no baseline: holidays, days whose alert was judged false,
  and days far from the median of their weekday.

  The distance is a t-statistic that is converted to the standard normal deviate of the same probability (Wallace 1959).
  Its error at 3 is below 0.01 from 7 degrees of freedom on and below 0.001 from 21 on. The limit for a drop is lower
  than that for a rise, because lost data and broken products cause drops.
#}
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

-- The days whose alert a person judged false.
judged as (
    select distinct business_date
    from {{ source('ops', 'excluded_points') }}
    where asset in ('bronze/product_events', 'silver/rec_engagement_days')
),

observations as (
    {%- for measure in ['active_units', 'sessions', 'engaged_seconds'] %}
    select
        business_date,
        {{ weekday('business_date') }} as weekday,
        is_holiday,
        '{{ measure }}' as measure,
        ln(greatest({{ measure }}, 0) + 0.5) as size
    from days
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

history as (
    select
        tested.business_date,
        tested.measure,
        before.weekday,
        before.weekday = tested.weekday as is_same_weekday,
        before.business_date - tested.business_date as position,
        before.size
    from observations as tested
    inner join observations as before
        on
            tested.measure = before.measure
            and before.business_date < tested.business_date
            and before.business_date >= tested.business_date - {{ var('investor_history') }}
            and not before.is_holiday
    left join judged on before.business_date = judged.business_date
    where judged.business_date is null
),

-- A weekday that was seen fewer than three times has no level of its own yet.
shapes as (
    select
        business_date,
        measure,
        count(*) as points,
        count(*) >= 28 and sum(case when is_same_weekday then 1 else 0 end) >= 3 as is_by_weekday
    from history
    group by business_date, measure
),

grouped as (
    select
        history.*,
        shapes.is_by_weekday,
        case when shapes.is_by_weekday then history.weekday else 0 end as level_of,
        case when shapes.is_by_weekday then history.is_same_weekday else true end as is_of_this_level
    from history
    inner join shapes on history.business_date = shapes.business_date and history.measure = shapes.measure
),

off_median as (
    select
        *,
        abs(size - median(size) over (partition by business_date, measure, level_of)) as distance
    from grouped
),

far_off as (
    select
        *,
        distance > 4.5 * greatest(
            1.4826 * median(distance) over (partition by business_date, measure), {{ var('investor_min_noise') }}
        ) as is_far
    from off_median
),

-- If more than a seventh of the days is far from the level, such days are usual for the series, and all days are kept.
kept as (
    select *
    from far_off
    qualify not is_far or avg(case when is_far then 1.0 else 0 end) over (partition by business_date, measure) > 0.15
),

centred as (
    select
        *,
        position - avg(position) over (partition by business_date, measure, level_of) as position_off,
        size - avg(size) over (partition by business_date, measure, level_of) as size_off
    from kept
),

slopes as (
    select
        business_date,
        measure,
        count(*) as points,
        count(distinct level_of) as levels,
        bool_and(is_by_weekday) as has_growth,
        sum(position_off * position_off) as spread,
        case when bool_and(is_by_weekday) then sum(position_off * size_off) / sum(position_off * position_off) else 0 end
            as growth
    from centred
    group by business_date, measure
),

noises as (
    select
        slopes.business_date,
        slopes.measure,
        max(slopes.points - slopes.levels - case when slopes.has_growth then 1 else 0 end) as degrees,
        sum(power(centred.size_off - slopes.growth * centred.position_off, 2)) as squares
    from slopes
    inner join centred on slopes.business_date = centred.business_date and slopes.measure = centred.measure
    group by slopes.business_date, slopes.measure
),

levels as (
    select
        business_date,
        measure,
        count(*) as points,
        avg(position) as position,
        avg(size) as size
    from centred
    where is_of_this_level
    group by business_date, measure
),

expected as (
    select
        levels.business_date,
        levels.measure,
        shapes.points,
        levels.size - slopes.growth * levels.position as size,
        noises.degrees,
        -- A constant series has no noise, so a lower limit is used in its place.
        greatest(sqrt(noises.squares / noises.degrees), {{ var('investor_min_noise') }}) * sqrt(
            1 + 1.0 / levels.points
            + case when slopes.has_growth then levels.position * levels.position / slopes.spread else 0 end
        ) as noise
    from levels
    inner join shapes on levels.business_date = shapes.business_date and levels.measure = shapes.measure
    inner join slopes on levels.business_date = slopes.business_date and levels.measure = slopes.measure
    inner join noises on levels.business_date = noises.business_date and levels.measure = noises.measure
    where shapes.points >= 8 and noises.degrees > 0
),

scored as (
    select
        observations.business_date,
        observations.measure,
        expected.points,
        exp(expected.size) - 0.5 as expected,
        sign(observations.size - expected.size) * (8.0 * expected.degrees + 1) / (8.0 * expected.degrees + 3)
        * sqrt(
            expected.degrees
            * ln(1 + power((observations.size - expected.size) / expected.noise, 2) / expected.degrees)
        ) as z_score
    from observations
    inner join expected
        on observations.business_date = expected.business_date and observations.measure = expected.measure
),

by_day as (
    select
        business_date,
        max(points) as points,
        {%- for measure in ['active_units', 'sessions', 'engaged_seconds'] %}
        max(case when measure = '{{ measure }}' then expected end) as expected_{{ measure }},
        max(case when measure = '{{ measure }}' then z_score end) as {{ measure }}_z_score,
        {%- endfor %}
        bool_or(z_score < -{{ var('investor_drop_z') }} or z_score > {{ var('investor_anomaly_z') }}) as is_unusual
    from scored
    group by business_date
),

baseline as (
    select
        business_date,
        max(points) as points
    from shapes
    group by business_date
)

select
    days.business_date,
    days.active_units,
    days.sessions,
    days.engaged_seconds,
    days.is_holiday,
    coalesce(baseline.points, 0) as baseline_days,
    round(by_day.expected_active_units, 1) as expected_units,
    round(by_day.active_units_z_score, 2) as z_score,
    round(by_day.expected_sessions, 1) as expected_sessions,
    round(by_day.sessions_z_score, 2) as sessions_z_score,
    round(by_day.expected_engaged_seconds, 0) as expected_engaged_seconds,
    round(by_day.engaged_seconds_z_score, 2) as engaged_seconds_z_score,
    case
        when by_day.business_date is null then 'Insufficient History'
        when not by_day.is_unusual then 'Normal'
        when days.is_holiday then 'Expected Holiday'
        when judged.business_date is not null then 'Judged Normal'
        else 'Anomaly Detected'
    end as status,
    {{ as_of() }} as dbt_updated_at
from days
left join baseline on days.business_date = baseline.business_date
left join by_day on days.business_date = by_day.business_date
left join judged on days.business_date = judged.business_date
