{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams', 'songs', 'users'], 'rebuilt_too': 'dates_since_catalogue'},
    )
}}

with ranked as (
    select
        *,
        row_number() over (
            partition by business_date order by listens desc, total_listening_seconds desc, genre
        ) as genre_rank
    from {{ ref('kpi_genre_daily') }}
    where {{ in_touched_dates('business_date') }}
)

select
    business_date,
    cast(genre_rank as {{ dbt.type_int() }}) as genre_rank,
    genre,
    listens,
    unique_listeners,
    total_listening_seconds,
    {{ as_of() }} as metric_updated_at
from ranked
where genre_rank <= 5
