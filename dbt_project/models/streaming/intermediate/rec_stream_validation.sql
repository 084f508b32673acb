{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={
            'feeds': ['streams', 'songs', 'users'],
            'spread_days': 1,
            'rebuilt_too': ['days_after_catalogue', 'days_after_refusals', 'dates_loaded_nearby'],
        },
    )
}}

{#
  The two limits are checked over exact sliding windows, once by the time of listening and once by the time of loading.
  A window of listening belongs to the day on which it ends. A window of loading belongs to each business date that has
  errors in it. Such a date is judged again when a later load falls into the window.
#}
{%- set rebuilt = 'true' if not is_incremental() else date_predicate('business_date', rebuilt_dates()) %}
{%- set around = 'true' if not is_incremental() else date_predicate('business_date', widened(rebuilt_dates(), 1, 0)) %}

with moments as (
    select * from {{ ref('int_stream_moments') }}
    where {{ around }}
),

totals as (
    select
        business_date,
        sum(events) as events,
        sum(refused) as refused,
        sum(reference_violations) as reference_violations
    from moments
    where {{ rebuilt }}
    group by business_date
),

listened as (
    select
        listened_at as moment,
        sum(events) as events,
        sum(refused + reference_violations) as errors,
        sum(reference_violations) as reference_violations
    from moments
    where listened_at is not null
    group by listened_at
),

loaded as (
    select
        loaded_at as moment,
        sum(events) as events,
        sum(refused + reference_violations) as errors,
        sum(reference_violations) as reference_violations
    from {{ ref('int_stream_loads') }}
    group by loaded_at
),

listened_rate as ({{ sliding_windows('listened', var('stream_error_minutes'), ['events', 'errors']) }}),

listened_references as ({{ sliding_windows('listened', var('stream_reference_minutes'), ['reference_violations']) }}),

loaded_rate as ({{ sliding_windows('loaded', var('stream_error_minutes'), ['events', 'errors']) }}),

loaded_references as ({{ sliding_windows('loaded', var('stream_reference_minutes'), ['reference_violations']) }}),

brought_errors as (
    select business_date, loaded_at from {{ ref('int_stream_loads') }}
    where refused + reference_violations > 0 and {{ rebuilt }}
),

rates as (
    select 'event' as clock, cast(window_end as date) as business_date, window_end, events, errors
    from listened_rate
    union all
    select 'load' as clock, brought_errors.business_date, loaded_rate.window_end, loaded_rate.events, loaded_rate.errors
    from loaded_rate
    inner join brought_errors
        on
            brought_errors.loaded_at <= loaded_rate.window_end
            and brought_errors.loaded_at > loaded_rate.window_end - interval '{{ var("stream_error_minutes") }}' minute
),

worst_rates as (
    select clock, business_date, window_end, events, errors, errors * 1.0 / events as error_rate
    from rates
    where events > 0
    qualify row_number() over (
        partition by clock, business_date order by errors * 1.0 / events desc, errors desc, window_end
    ) = 1
),

violations as (
    select 'event' as clock, cast(window_end as date) as business_date, window_end, reference_violations
    from listened_references
    union all
    select
        'load' as clock,
        brought_errors.business_date,
        loaded_references.window_end,
        loaded_references.reference_violations
    from loaded_references
    inner join brought_errors
        on
            brought_errors.loaded_at <= loaded_references.window_end
            and brought_errors.loaded_at
            > loaded_references.window_end - interval '{{ var("stream_reference_minutes") }}' minute
),

worst_violations as (
    select clock, business_date, window_end, reference_violations
    from violations
    qualify row_number() over (
        partition by clock, business_date order by reference_violations desc, window_end
    ) = 1
),

clocks as (
    select 'event' as clock
    union all
    select 'load' as clock
)

select
    totals.business_date,
    clocks.clock,
    cast(totals.events as {{ dbt.type_bigint() }}) as events,
    cast(totals.refused as {{ dbt.type_bigint() }}) as refused,
    cast(totals.reference_violations as {{ dbt.type_bigint() }}) as reference_violations,
    cast(coalesce(worst_rates.error_rate, 0) as double) as worst_error_rate,
    cast(coalesce(worst_rates.errors, 0) as {{ dbt.type_bigint() }}) as worst_error_window_errors,
    cast(coalesce(worst_rates.events, 0) as {{ dbt.type_bigint() }}) as worst_error_window_events,
    worst_rates.window_end as worst_error_window_end,
    cast(coalesce(worst_violations.reference_violations, 0) as {{ dbt.type_bigint() }}) as worst_reference_violations,
    worst_violations.window_end as worst_reference_window_end,
    coalesce(worst_rates.errors * 100 <= {{ var('stream_error_percent') }} * worst_rates.events, true)
        as is_error_rate_within,
    coalesce(worst_violations.reference_violations <= {{ var('stream_reference_limit') }}, true)
        as is_reference_within,
    {{ as_of() }} as dbt_updated_at
from totals
cross join clocks
left join worst_rates on totals.business_date = worst_rates.business_date and clocks.clock = worst_rates.clock
left join worst_violations
    on totals.business_date = worst_violations.business_date and clocks.clock = worst_violations.clock
