{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': 'dates_since_catalogue'},
    )
}}

-- A user who listened to two songs is one listener. So the listeners of songs cannot be added up.
with listeners as (
    select business_date, genre, count(distinct user_id) as unique_listeners
    from {{ ref('int_streams') }}
    where is_valid and {{ in_touched_dates('business_date') }}
    group by business_date, genre
),

totals as (
    select business_date, genre, sum(listens) as listens, sum(listening_seconds) as listening_seconds
    from {{ ref('int_song_days') }}
    where {{ in_touched_dates('business_date') }}
    group by business_date, genre
)

select
    totals.business_date,
    totals.genre,
    cast(totals.listens as {{ dbt.type_bigint() }}) as listens,
    cast(listeners.unique_listeners as {{ dbt.type_bigint() }}) as unique_listeners,
    cast(totals.listening_seconds as {{ dbt.type_bigint() }}) as total_listening_seconds,
    {{ ratio('totals.listening_seconds', 'totals.listens', 2) }} as mean_listening_seconds,
    {{ as_of() }} as metric_updated_at
from totals
inner join listeners on totals.business_date = listeners.business_date and totals.genre = listeners.genre
