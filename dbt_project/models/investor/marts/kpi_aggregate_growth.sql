{{ config(materialized='table') }}

with sales as (
    select business_date, unit_id, revenue, min(business_date) over (partition by unit_id) as first_date
    from {{ ref('fact_transactions') }}
),

in_periods as (
    {{ by_period('sales') }}
),

whole_days as (
    select business_date from {{ ref('int_investor_days') }}
    where has_transactions
),

whole_days_in_periods as (
    {{ by_period('whole_days', ends=false) }}
),

delivered as (
    select period_type, period_start, count(*) as days_delivered
    from whole_days_in_periods
    group by period_type, period_start
),

totals as (
    select
        period_type,
        period_start,
        period_end,
        sum(revenue) as revenue,
        count(*) as transactions,
        -- A unit that bought on two days is one buyer. So the buyers of single days cannot be added up.
        count(distinct unit_id) as buyers,
        count(distinct case when first_date >= period_start then unit_id end) as new_buyers
    from in_periods
    group by period_type, period_start, period_end
),

periods as (
    select
        totals.*,
        coalesce(delivered.days_delivered, 0) as days_delivered,
        coalesce(delivered.days_delivered, 0)
        = {{ dbt.datediff('totals.period_start', 'totals.period_end', 'day') }} + 1 as is_complete
    from totals
    left join delivered
        on totals.period_type = delivered.period_type and totals.period_start = delivered.period_start
)

select
    cast(period_type as {{ dbt.type_string() }}) as period_type,
    period_start,
    period_end,
    cast(days_delivered as {{ dbt.type_bigint() }}) as days_delivered,
    is_complete,
    cast(revenue as {{ money() }}) as revenue,
    cast(transactions as {{ dbt.type_bigint() }}) as transactions,
    cast(buyers as {{ dbt.type_bigint() }}) as buyers,
    cast(new_buyers as {{ dbt.type_bigint() }}) as new_buyers,
    {{ ratio('revenue', 'buyers', 2) }} as revenue_per_buyer,
    {{ period_growth('revenue') }} as revenue_growth,
    {{ period_growth('buyers') }} as buyers_growth,
    {{ as_of() }} as metric_updated_at
from periods
