{{ config(materialized='view') }}

with songs as (
    select
        song_id,
        genre,
        {{ known_from() }} as known_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as known_until
    from {{ ref('dim_songs') }}
),

users as (
    select
        user_id,
        {{ known_from() }} as known_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as known_until
    from {{ ref('dim_users') }}
)

select
    streams.stream_id,
    streams.user_id,
    streams.song_id,
    songs.genre,
    streams.listened_at,
    streams.listen_seconds,
    streams.device,
    streams.is_offline,
    songs.song_id is not null as is_known_song,
    users.user_id is not null as is_known_user,
    songs.song_id is not null and users.user_id is not null as is_valid,
    streams.ingestion_timestamp as loaded_at,
    streams.business_date
from {{ source('bronze', 'streams') }} as streams
left join songs
    on
        streams.song_id = songs.song_id
        and streams.business_date >= songs.known_from
        and streams.business_date < songs.known_until
left join users
    on
        streams.user_id = users.user_id
        and streams.business_date >= users.known_from
        and streams.business_date < users.known_until
where
    not exists (
        select 1
        from {{ ref('int_stream_repeats') }} as repeats
        where
            repeats.stream_id = streams.stream_id
            and repeats.business_date = streams.business_date
            and repeats.load_seq = streams._load_seq
            and repeats.line = streams._line
    )
