{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': 'dates_since_catalogue'},
    )
}}

-- A song has the title and the artist that it had on the day of listening.
with songs as (
    select
        song_id,
        title,
        artist,
        {{ known_from() }} as known_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as known_until
    from {{ ref('dim_songs') }}
),

-- The song with more listens comes first, then the one with more time. The song's id decides between equal songs.
ranked as (
    select
        *,
        row_number() over (
            partition by business_date, genre order by listens desc, listening_seconds desc, song_id
        ) as song_rank
    from {{ ref('int_song_days') }}
    where {{ in_touched_dates('business_date') }}
)

select
    ranked.business_date,
    ranked.genre,
    cast(ranked.song_rank as {{ dbt.type_int() }}) as song_rank,
    ranked.song_id,
    songs.title,
    songs.artist,
    cast(ranked.listens as {{ dbt.type_bigint() }}) as listens,
    cast(ranked.listening_seconds as {{ dbt.type_bigint() }}) as total_listening_seconds,
    {{ as_of() }} as metric_updated_at
from ranked
left join songs
    on
        ranked.song_id = songs.song_id
        and ranked.business_date >= songs.known_from
        and ranked.business_date < songs.known_until
where ranked.song_rank <= 3
