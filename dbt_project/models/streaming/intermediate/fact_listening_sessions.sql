{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': 'dates_since_catalogue'},
    )
}}

with streams as (
    select
        *,
        listened_at + listen_seconds * interval '1' second as ended_at
    from {{ ref('int_streams') }}
    where is_valid and {{ in_touched_dates('business_date') }}
),

followed as (
    select
        *,
        max(ended_at) over (
            partition by business_date, user_id
            order by listened_at, stream_id
            rows between unbounded preceding and 1 preceding
        ) as silent_since
    from streams
),

numbered as (
    select
        *,
        sum(
            case
                when silent_since is null
                    or listened_at > silent_since + interval '{{ var("stream_session_minutes") }}' minute then 1
                else 0
            end
        ) over (
            partition by business_date, user_id
            order by listened_at, stream_id
            rows unbounded preceding
        ) as session_number
    from followed
)

select
    business_date,
    user_id,
    cast(session_number as {{ dbt.type_bigint() }}) as session_number,
    min(listened_at) as started_at,
    max(ended_at) as ended_at,
    count(*) as streams,
    count(distinct song_id) as songs,
    cast(sum(listen_seconds) as {{ dbt.type_bigint() }}) as listening_seconds,
    {{ as_of() }} as dbt_updated_at
from numbered
group by business_date, user_id, session_number
