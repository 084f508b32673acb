{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=false,
        on_schema_change='fail',
        meta={'feeds': ['transactions', 'marketing_spend'], 'partitions': 'none'},
    )
}}

{#
  What investors were told stays: a row is written when a period closes and never again, whatever is delivered later. It
  is computed from what the files knew on the closing date, so that a replay of the same files reports the same.
#}
with versions as (
    select transaction_id, business_date, revenue, cost, updated_at, known_date, load_seq, line
    from {{ ref('stg_transactions') }}
),

newest as (
    select max(known_date) as known_date from versions
),

in_periods as (
    {{ by_period('versions') }}
),

closed as (
    select
        in_periods.*,
        in_periods.period_end + {{ var('investor_close_days') }} as close_date
    from in_periods
    cross join newest
    where
        in_periods.period_end + {{ var('investor_close_days') }} <= newest.known_date
        and in_periods.known_date <= in_periods.period_end + {{ var('investor_close_days') }}
),

known as (
    select
        *,
        row_number() over (
            partition by period_type, business_date, transaction_id order by updated_at desc, load_seq desc, line desc
        ) as place
    from closed
),

sales as (
    select
        period_type,
        period_start,
        period_end,
        close_date,
        count(distinct business_date) as days_delivered,
        sum(revenue) as revenue,
        sum(revenue - cost) as gross_profit
    from known
    where place = 1
    group by period_type, period_start, period_end, close_date
),

spend_versions as (
    select
        spend.business_date,
        spend.channel,
        spend.spend_amount,
        batches.business_date as known_date,
        spend._load_seq as load_seq
    from {{ source('bronze', 'marketing_spend') }} as spend
    inner join {{ source('ops', 'batches') }} as batches on spend._batch_id = batches.batch_id
),

spend_in_periods as (
    {{ by_period('spend_versions') }}
),

known_spend as (
    select
        *,
        row_number() over (partition by period_type, business_date, channel order by load_seq desc) as place
    from spend_in_periods
    where known_date <= period_end + {{ var('investor_close_days') }}
),

spend as (
    select period_type, period_start, sum(spend_amount) as marketing_spend
    from known_spend
    where place = 1
    group by period_type, period_start
),

metrics as (
    select period_type, period_start, period_end, close_date, days_delivered, 'revenue' as metric, revenue as reported_value
    from sales
    union all
    select
        sales.period_type,
        sales.period_start,
        sales.period_end,
        sales.close_date,
        sales.days_delivered,
        'profit' as metric,
        sales.gross_profit - coalesce(spend.marketing_spend, 0) as reported_value
    from sales
    left join spend on sales.period_type = spend.period_type and sales.period_start = spend.period_start
)

select
    metric,
    period_type,
    period_start,
    period_end,
    close_date,
    cast(days_delivered as {{ dbt.type_bigint() }}) as days_delivered,
    cast(reported_value as {{ money() }}) as reported_value,
    {{ as_of() }} as dbt_updated_at
from metrics
{%- if is_incremental() %}
where
    not exists (
        select 1
        from {{ this }} as reported
        where
            reported.metric = metrics.metric
            and reported.period_type = metrics.period_type
            and reported.period_start = metrics.period_start
    )
{%- endif %}
