{{ config(materialized='table') }}

{#
  The tested day is not part of its own baseline. If it were, a drop would widen the interval that should find the drop,
  and among nine values none can be three standard deviations from their mean.

  With up to 27 days of history, the prediction interval lies around the mean of these days. From 28 days on, it lies
  around the mean of the same weekday, with the noise of all days relative to their weekday's level.

  The t-statistic is converted to the standard normal deviate of the same probability (Wallace 1959), so that one
  threshold fits any length of history. Compared with the exact distribution, the deviate is too small at the
  thresholds: by up to 0.03 with 7 degrees of freedom, and by less than 0.003 from 20 on.

  A day whose alert a person judged false is not part of the baseline of other days. If the alert was about this series,
  the day is no longer an anomaly. If the alert was about the number of rows that arrived, the day's revenue is still
  judged.
#}
with judged as (
    select
        business_date,
        max(case when asset = 'bronze/orders' then 0 else 1 end) = 1 as is_normal
    from {{ source('ops', 'excluded_points') }}
    where asset in ('gold/data_anomalies', 'gold/daily_revenue', 'bronze/orders')
    group by business_date
),

-- A day whose files have not arrived is not tested, and is not part of a baseline. Before the first delivery no files
-- are expected. A day there can have rows only because an order was changed later.
missing as (
    select business_date from {{ ref('int_delivered_days') }}
    where not is_complete
),

begun as (
    select min(business_date) as first_date from {{ ref('int_delivered_days') }}
),

days as (
    select
        daily_revenue.order_date,
        {{ weekday('daily_revenue.order_date') }} as weekday,
        row_number() over (order by daily_revenue.order_date) as position,
        daily_revenue.total_orders,
        daily_revenue.gross_revenue
    from {{ ref('daily_revenue') }} as daily_revenue
    cross join begun
    left join missing on daily_revenue.order_date = missing.business_date
    where
        missing.business_date is null
        and daily_revenue.order_date >= coalesce(begun.first_date, daily_revenue.order_date)
),

observations as (
    select order_date, weekday, position, 'orders' as metric, cast(total_orders as double) as observed from days
    union all
    select order_date, weekday, position, 'revenue' as metric, cast(gross_revenue as double) as observed from days
    -- The revenue is unknown as long as the currency of an order has no rate.
    where gross_revenue is not null
),

-- The places of the days before each day. A join by a range of places would compare each day with every other day.
places as (
    select
        order_date,
        unnest(generate_series(position - {{ var('anomaly_history') }}, position - 1)) as place
    from days
),

history as (
    select
        places.order_date,
        earlier.metric,
        earlier.weekday,
        earlier.observed
    from places
    inner join observations as earlier on places.place = earlier.position
    left join judged on earlier.order_date = judged.business_date
    where judged.business_date is null
),

flat as (
    select
        order_date,
        metric,
        count(*) as points,
        avg(observed) as level,
        stddev_samp(observed) as noise
    from history
    group by order_date, metric
),

weekday_levels as (
    select
        order_date,
        metric,
        weekday,
        count(*) as points,
        avg(observed) as level
    from history
    group by order_date, metric, weekday
),

weekday_noise as (
    select
        history.order_date,
        history.metric,
        count(*) - count(distinct history.weekday) as degrees,
        sqrt(
            sum(power(history.observed / nullif(weekday_levels.level, 0) - 1, 2))
            / nullif(count(*) - count(distinct history.weekday), 0)
        ) as relative_noise
    from history
    inner join weekday_levels
        on
            history.order_date = weekday_levels.order_date
            and history.metric = weekday_levels.metric
            and history.weekday = weekday_levels.weekday
    group by history.order_date, history.metric
),

expectations as (
    select
        observations.order_date,
        observations.metric,
        observations.observed,
        flat.points,
        -- A weekday that was seen fewer than three times has no level of its own yet.
        flat.points >= {{ var('anomaly_weekday_from') }} and weekday_levels.points >= 3 as by_weekday,
        flat.level as flat_level,
        flat.noise as flat_noise,
        weekday_levels.level as weekday_level,
        weekday_levels.points as weekday_points,
        weekday_noise.relative_noise * weekday_levels.level as weekday_noise,
        weekday_noise.degrees as weekday_degrees
    from observations
    left join flat
        on observations.order_date = flat.order_date and observations.metric = flat.metric
    left join weekday_levels
        on
            observations.order_date = weekday_levels.order_date
            and observations.metric = weekday_levels.metric
            and observations.weekday = weekday_levels.weekday
    left join weekday_noise
        on observations.order_date = weekday_noise.order_date and observations.metric = weekday_noise.metric
),

chosen as (
    select
        order_date,
        metric,
        observed,
        points,
        by_weekday,
        case when by_weekday then weekday_level else flat_level end as expected,
        case when by_weekday then weekday_degrees else points - 1 end as degrees,
        case when by_weekday then weekday_points else points end as level_points,
        case when by_weekday then weekday_noise else flat_noise end as noise
    from expectations
),

-- A constant series has no noise. Without a lower limit for the noise, a change of one cent would be an anomaly.
standardized as (
    select
        *,
        (observed - expected)
        / (
            greatest(
                coalesce(noise, 0),
                {{ var('anomaly_min_relative_noise') }} * abs(expected),
                0.000000001
            ) * sqrt(1 + 1.0 / level_points)
        ) as t_statistic
    from chosen
    where points >= {{ var('anomaly_min_points') }}
),

scored as (
    select
        *,
        sign(t_statistic) * (8.0 * degrees + 1) / (8.0 * degrees + 3)
        * sqrt(degrees * ln(1 + t_statistic * t_statistic / degrees)) as z_score,
        abs(observed - expected) > {{ var('anomaly_large_change') }} * expected as is_large
    from standardized
),

verdicts as (
    select
        *,
        abs(z_score) > case when is_large then {{ var('anomaly_large_z') }} else {{ var('anomaly_z') }} end as is_anomaly
    from scored
)

select
    days.order_date,
    cast(days.total_orders as {{ dbt.type_bigint() }}) as order_count,
    cast(days.gross_revenue as {{ money() }}) as revenue,
    cast(orders.expected as double) as expected_order_count,
    cast(revenue.expected as double) as expected_revenue,
    cast(orders.z_score as double) as orders_z_score,
    cast(revenue.z_score as double) as revenue_z_score,
    cast(
        case
            when orders.points is null then 'none'
            when orders.by_weekday then 'weekday'
            else 'level'
        end as {{ dbt.type_string() }}
    ) as baseline,
    cast(coalesce(orders.points, days.position - 1) as {{ dbt.type_int() }}) as baseline_points,
    cast(
        case
            when orders.points is null then 'Insufficient History'
            when orders.is_anomaly or revenue.is_anomaly
                then case when judged.is_normal then 'Judged Normal' else 'Anomaly Detected' end
            when days.gross_revenue is null then 'Revenue Unknown'
            when revenue.points is null then 'Insufficient History'
            else 'Normal'
        end as {{ dbt.type_string() }}
    ) as status,
    {{ as_of() }} as metric_updated_at
from days
left join verdicts as orders on days.order_date = orders.order_date and orders.metric = 'orders'
left join verdicts as revenue on days.order_date = revenue.order_date and revenue.metric = 'revenue'
left join judged on days.order_date = judged.business_date
