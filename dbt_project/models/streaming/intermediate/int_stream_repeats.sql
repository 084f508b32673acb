{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams']},
    )
}}

{#
  The few rows that a later delivery replaces, so that everybody else reads bronze and leaves them out: a window over
  all streams of a day costs ten times as much as finding the numbers that occur twice.
#}
with repeated as (
    select business_date, stream_id
    from {{ source('bronze', 'streams') }}
    where {{ in_touched_dates('business_date') }}
    group by business_date, stream_id
    having count(*) > 1
),

deliveries as (
    select
        streams.business_date,
        streams.stream_id,
        streams._load_seq as load_seq,
        streams._line as line,
        row_number() over (
            partition by streams.business_date, streams.stream_id
            order by streams._load_seq desc, streams._line desc
        ) as place
    from {{ source('bronze', 'streams') }} as streams
    inner join repeated
        on streams.business_date = repeated.business_date and streams.stream_id = repeated.stream_id
    where {{ in_touched_dates('streams.business_date') }}
)

select
    business_date,
    stream_id,
    load_seq,
    line,
    {{ as_of() }} as dbt_updated_at
from deliveries
where place > 1
