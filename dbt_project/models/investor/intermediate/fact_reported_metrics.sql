{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=false,
        on_schema_change='append_new_columns',
        meta={'feeds': ['transactions', 'marketing_spend'], 'partitions': 'none'},
    )
}}

{#
  A figure that was reported to investors stays. A row is written when its period has closed, and every file that the
  contracts expect for the period has arrived. It is never written again, whatever is delivered later.

  The row is computed from the files that are dated up to the closing date, and names these files (input_batches). The
  period in which the deliveries begin gets no row, because nothing is known of its first days.

  This table depends on when files arrived, by intention. A file that replaces one of them later changes nothing here.
  rec_restatements shows the difference.
#}
with versions as (
    select * from {{ ref('stg_transactions') }}
),

newest as (
    select max(known_date) as known_date from versions
),

in_periods as (
    {{ by_period('versions') }}
),

closed as (
    select
        in_periods.period_type,
        in_periods.period_start,
        in_periods.period_end,
        in_periods.period_end + {{ var('investor_close_days') }} as close_date
    from in_periods
    cross join newest
    where in_periods.period_end + {{ var('investor_close_days') }} <= newest.known_date
    {%- if is_incremental() %}
        and (
            select count(*)
            from {{ this }} as reported
            where reported.period_type = in_periods.period_type and reported.period_start = in_periods.period_start
        ) < 2
    {%- endif %}
    group by in_periods.period_type, in_periods.period_start, in_periods.period_end
),

deliveries as (
    select * from {{ ref('int_investor_deliveries') }}
),

-- A day whose files have not arrived is unknown. It does not count as 0.
ready as (
    select
        closed.period_type,
        closed.period_start,
        closed.period_end,
        closed.close_date,
        sum(case when deliveries.transactions_complete then 0 else 1 end) = 0 as has_transactions,
        sum(case when deliveries.marketing_spend_complete then 0 else 1 end) = 0
        and sum(case when deliveries.marketing_spend_delivered then 1 else 0 end) > 0 as has_spend
    from closed
    inner join deliveries on deliveries.business_date between closed.period_start and closed.period_end
    group by closed.period_type, closed.period_start, closed.period_end, closed.close_date
    -- Days before the first delivery have no row.
    having count(*) = {{ dbt.datediff('closed.period_start', 'closed.period_end', 'day') }} + 1
),

-- Every transaction that any version ever placed in the period. A later version can move it out of the period.
candidates as (
    select distinct period_type, period_start, transaction_id from in_periods
),

known as (
    select
        ready.period_type,
        ready.period_start,
        ready.period_end,
        versions.business_date,
        versions.revenue,
        versions.cost,
        row_number() over (
            partition by ready.period_type, ready.period_start, versions.transaction_id
            order by {{ newest_transaction('versions') }}
        ) as place
    from ready
    inner join candidates
        on ready.period_type = candidates.period_type and ready.period_start = candidates.period_start
    inner join versions
        on candidates.transaction_id = versions.transaction_id and versions.known_date <= ready.close_date
    where ready.has_transactions
),

sales as (
    select
        period_type,
        period_start,
        sum(revenue) as revenue,
        sum(revenue - cost) as gross_profit
    from known
    where place = 1 and business_date between period_start and period_end
    group by period_type, period_start
),

spend_versions as (
    select
        spend.business_date,
        spend.channel,
        spend.spend_amount,
        spend._load_seq,
        spend._line,
        batches.business_date as _file_date,
        batches.part as _file_part
    from {{ source('bronze', 'marketing_spend') }} as spend
    inner join {{ source('ops', 'batches') }} as batches on spend._batch_id = batches.batch_id
),

spend_in_periods as (
    {{ by_period('spend_versions') }}
),

known_spend as (
    select
        *,
        row_number() over (
            partition by period_type, business_date, channel order by {{ newest_first('marketing_spend') }}
        ) as place
    from spend_in_periods
    where _file_date <= period_end + {{ var('investor_close_days') }}
),

spend as (
    select period_type, period_start, sum(spend_amount) as marketing_spend
    from known_spend
    where place = 1
    group by period_type, period_start
),

metrics as (
    select
        ready.*,
        'revenue' as metric,
        coalesce(sales.revenue, 0) as reported_value
    from ready
    left join sales on ready.period_type = sales.period_type and ready.period_start = sales.period_start
    where ready.has_transactions
    union all
    select
        ready.*,
        'profit' as metric,
        coalesce(sales.gross_profit, 0) - coalesce(spend.marketing_spend, 0) as reported_value
    from ready
    left join sales on ready.period_type = sales.period_type and ready.period_start = sales.period_start
    left join spend on ready.period_type = spend.period_type and ready.period_start = spend.period_start
    where ready.has_transactions and ready.has_spend
),

inputs as (
    select
        metrics.metric,
        metrics.period_type,
        metrics.period_start,
        count(distinct case
            when batches.feed = 'transactions' and batches.business_date <= metrics.period_end then batches.business_date
        end) as days_delivered,
        string_agg(batches.batch_id, ', ' order by batches.load_seq) as input_batches
    from metrics
    inner join {{ source('ops', 'batches') }} as batches
        on batches.business_date between metrics.period_start and metrics.close_date
    where
        batches.status = 'loaded'
        and (batches.feed = 'transactions' or (batches.feed = 'marketing_spend' and metrics.metric = 'profit'))
    group by metrics.metric, metrics.period_type, metrics.period_start
)

select
    metrics.metric,
    metrics.period_type,
    metrics.period_start,
    metrics.period_end,
    metrics.close_date,
    cast(inputs.days_delivered as {{ dbt.type_bigint() }}) as days_delivered,
    cast(metrics.reported_value as {{ money() }}) as reported_value,
    inputs.input_batches,
    {{ as_of() }} as dbt_updated_at
from metrics
left join inputs
    on
        metrics.metric = inputs.metric
        and metrics.period_type = inputs.period_type
        and metrics.period_start = inputs.period_start
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
