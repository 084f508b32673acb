{{
    config(
        materialized='incremental',
        incremental_strategy='touched_dates',
        on_schema_change='fail',
        meta={'feeds': ['streams']},
    )
}}

{#
  This table has only the few rows that a later delivery replaces. Other models read bronze without these rows. Finding
  the stream numbers that occur twice costs a tenth of a window over all streams of a day.
#}
with wanted as (
    select distinct stream_id from {{ source('bronze', 'streams') }}
    where {{ in_touched_dates('business_date') }}
),

repeated as (
    select streams.stream_id
    from {{ source('bronze', 'streams') }} as streams
    {%- if is_incremental() %}
    inner join wanted on streams.stream_id = wanted.stream_id
    {%- endif %}
    group by streams.stream_id
    having count(*) > 1
),

deliveries as (
    select
        streams.business_date,
        streams.stream_id,
        streams._load_seq as load_seq,
        streams._line as line,
        row_number() over (
            partition by streams.stream_id
            order by {{ newest_first('streams') }}
        ) as place
    from {{ source('bronze', 'streams') }} as streams
    inner join repeated on streams.stream_id = repeated.stream_id
    left join ({{ files_of_batches() }}) as files on streams._batch_id = files._of_batch
)

select
    business_date,
    stream_id,
    load_seq,
    line,
    {{ as_of() }} as dbt_updated_at
from deliveries
where place > 1 and {{ in_touched_dates('business_date') }}
