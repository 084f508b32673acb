{#
  One row per day, from the first delivery of any of `feeds` on. `<feed>_delivered`: a file of the day was loaded.
  `<feed>_complete`: a file was loaded, or the contract expects none for the day.

  Only deliveries show whether a day is complete, and rows do not. A day whose file is missing has rows as soon as a
  later file changes one of its records, and the file of a quiet day has no rows.
#}
{% macro delivery_days(feeds) %}
with delivered as (
    select feed, business_date
    from {{ source('ops', 'batches') }}
    where
        status = 'loaded' and feed in ('{{ feeds | join("', '") }}')
        and {{ is_plausible('business_date') }}
    group by feed, business_date
),

expected as (
    select feed, business_date
    from {{ source('ops', 'expected_dates') }}
    where feed in ('{{ feeds | join("', '") }}') and {{ is_plausible('business_date') }}
),

bounds as (
    select
        (select min(delivered.business_date) from delivered) as first_date,
        greatest(
            (select max(delivered.business_date) from delivered),
            (select max(expected.business_date) from expected)
        ) as last_date
),

days as (
    select cast(day as date) as business_date
    from bounds, unnest(generate_series(bounds.first_date, bounds.last_date, interval 1 day)) as series (day)
),

known as (
    select
        days.business_date
        {%- for feed in feeds %},
        exists (
            select 1 from delivered where delivered.feed = '{{ feed }}' and delivered.business_date = days.business_date
        ) as {{ feed }}_delivered,
        exists (
            select 1 from expected where expected.feed = '{{ feed }}' and expected.business_date = days.business_date
        ) as {{ feed }}_expected,
        exists (select 1 from expected where expected.feed = '{{ feed }}') as {{ feed }}_has_calendar
        {%- endfor %}
    from days
)

select
    business_date
    {%- for feed in feeds %},
    {{ feed }}_delivered,
    {{ feed }}_delivered or ({{ feed }}_has_calendar and not {{ feed }}_expected) as {{ feed }}_complete
    {%- endfor %}
from known
{%- endmacro %}
