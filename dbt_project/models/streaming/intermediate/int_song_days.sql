{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': 'dates_since_catalogue'},
    )
}}

select
    business_date,
    song_id,
    genre,
    count(*) as listens,
    cast(sum(listen_seconds) as {{ dbt.type_bigint() }}) as listening_seconds,
    {{ as_of() }} as dbt_updated_at
from {{ ref('int_streams') }}
where is_valid and {{ in_touched_dates('business_date') }}
group by business_date, song_id, genre
