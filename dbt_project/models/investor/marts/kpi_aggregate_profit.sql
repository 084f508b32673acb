{{ config(materialized='table') }}

with days as (
    select * from {{ ref('int_investor_days') }}
),

in_periods as (
    {{ by_period('days') }}
),

periods as (
    select
        period_type,
        period_start,
        period_end,
        sum(case when has_transactions and has_spend then 1 else 0 end) as days_delivered,
        sum(revenue) as revenue,
        sum(cost) as cost,
        sum(marketing_spend) as marketing_spend,
        sum(profit) as profit,
        sum(case when has_transactions and has_spend then 1 else 0 end)
        = {{ dbt.datediff('period_start', 'period_end', 'day') }} + 1 as is_complete
    from in_periods
    group by period_type, period_start, period_end
),

grown as (
    select
        *,
        {{ period_growth('profit') }} as profit_growth
    from periods
),

reported as (
    select * from {{ ref('fact_reported_metrics') }}
    where metric = 'profit'
)

select
    cast(grown.period_type as {{ dbt.type_string() }}) as period_type,
    grown.period_start,
    grown.period_end,
    cast(grown.days_delivered as {{ dbt.type_bigint() }}) as days_delivered,
    grown.is_complete,
    cast(grown.revenue as {{ money() }}) as revenue,
    cast(grown.cost as {{ money() }}) as cost,
    cast(grown.marketing_spend as {{ money() }}) as marketing_spend,
    cast(grown.profit as {{ money() }}) as profit,
    {{ ratio('grown.profit', 'grown.revenue') }} as profit_margin,
    grown.profit_growth,
    reported.reported_value as reported_profit,
    reported.close_date as reported_as_of,
    {{ as_of() }} as metric_updated_at
from grown
left join reported on grown.period_type = reported.period_type and grown.period_start = reported.period_start
