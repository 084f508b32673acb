{{ config(materialized='table') }}

with days as (
    select business_date, revenue, profit from {{ ref('int_investor_days') }}
),

in_periods as (
    {{ by_period('days', ends=false) }}
),

present as (
    select period_type, period_start, 'revenue' as metric, sum(revenue) as current_value
    from in_periods
    group by period_type, period_start
    union all
    select period_type, period_start, 'profit' as metric, sum(profit) as current_value
    from in_periods
    group by period_type, period_start
),

compared as (
    select
        reported.*,
        coalesce(present.current_value, 0) as current_value,
        coalesce(present.current_value, 0) - reported.reported_value as change
    from {{ ref('fact_reported_metrics') }} as reported
    left join present
        on
            reported.metric = present.metric
            and reported.period_type = present.period_type
            and reported.period_start = present.period_start
)

select
    cast(metric as {{ dbt.type_string() }}) as metric,
    cast(period_type as {{ dbt.type_string() }}) as period_type,
    period_start,
    period_end,
    close_date as reported_as_of,
    cast(reported_value as {{ money() }}) as reported_value,
    cast(current_value as {{ money() }}) as current_value,
    cast(change as {{ money() }}) as change,
    {{ ratio('100.0 * change', 'abs(reported_value)', 2) }} as change_percent,
    -- If a figure was reported as zero, its change has no percentage. Any such change exceeds the tolerance.
    abs(change) * 100 > {{ var('investor_restatement_percent') }} * abs(reported_value) as is_beyond_tolerance,
    {{ as_of() }} as metric_updated_at
from compared
