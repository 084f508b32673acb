{{ config(materialized='table') }}

with unit_days as (
    select business_date, unit_id, sessions, engaged_seconds from {{ ref('int_unit_event_days') }}
),

in_periods as (
    {{ by_period('unit_days') }}
),

holidays as (
    select business_date from {{ ref('rec_engagement_days') }}
    where is_holiday
),

deliveries as (
    select * from {{ ref('int_investor_deliveries') }}
),

-- Without a journal of deliveries, the rows decide which days are complete.
whole_days as (
    select business_date from deliveries
    where product_events_complete
    union
    select business_date from unit_days
    where not exists (select 1 from deliveries)
),

whole_days_in_periods as (
    {{ by_period('whole_days', ends=false) }}
),

delivered as (
    select period_type, period_start, count(*) as days_delivered
    from whole_days_in_periods
    group by period_type, period_start
),

totals as (
    select
        in_periods.period_type,
        in_periods.period_start,
        in_periods.period_end,
        count(distinct in_periods.business_date) as days_with_events,
        count(distinct holidays.business_date) as holiday_days,
        count(distinct in_periods.unit_id) as active_units,
        count(*) as unit_days,
        sum(in_periods.sessions) as sessions,
        sum(in_periods.engaged_seconds) as engaged_seconds
    from in_periods
    left join holidays on in_periods.business_date = holidays.business_date
    group by in_periods.period_type, in_periods.period_start, in_periods.period_end
),

periods as (
    select
        totals.*,
        coalesce(delivered.days_delivered, 0) as days_delivered,
        coalesce(delivered.days_delivered, 0)
        = {{ dbt.datediff('totals.period_start', 'totals.period_end', 'day') }} + 1 as is_complete
    from totals
    left join delivered
        on totals.period_type = delivered.period_type and totals.period_start = delivered.period_start
)

select
    cast(period_type as {{ dbt.type_string() }}) as period_type,
    period_start,
    period_end,
    cast(days_delivered as {{ dbt.type_bigint() }}) as days_delivered,
    cast(holiday_days as {{ dbt.type_bigint() }}) as holiday_days,
    is_complete,
    cast(active_units as {{ dbt.type_bigint() }}) as active_units,
    cast(sessions as {{ dbt.type_bigint() }}) as sessions,
    {{ ratio('sessions', 'active_units', 2) }} as sessions_per_unit,
    {{ ratio('engaged_seconds', 'sessions', 2) }} as seconds_per_session,
    -- The share of the period's units that is active on an average day.
    {{ ratio('unit_days * 1.0 / days_with_events', 'active_units') }} as stickiness,
    {{ period_growth('active_units') }} as active_units_growth,
    {{ as_of() }} as metric_updated_at
from periods
