{{ config(materialized='table') }}

with arms as (
    select experiment_id, arm, count(*) as units, min(cast(assigned_at as date)) as first_date, max(last_date) as last_date
    from {{ ref('int_experiment_assignments') }}
    group by experiment_id, arm
),

landed as (
    select business_date from {{ ref('int_investor_days') }}
    where has_transactions
),

days as (
    select arms.experiment_id, arms.arm, arms.units, landed.business_date
    from arms
    inner join landed on landed.business_date between arms.first_date and arms.last_date
),

sales as (
    select
        experiment_id,
        arm,
        business_date,
        count(*) as buyers,
        sum(transactions) as transactions,
        sum(revenue) as revenue,
        sum(profit) as profit
    from {{ ref('int_experiment_unit_days') }}
    group by experiment_id, arm, business_date
),

daily as (
    select
        days.experiment_id,
        days.arm,
        days.business_date,
        days.units,
        coalesce(sales.buyers, 0) as buyers,
        coalesce(sales.transactions, 0) as transactions,
        coalesce(sales.revenue, 0) as revenue,
        coalesce(sales.profit, 0) as profit,
        -- A day that was not delivered has no growth. The day after it has none either.
        lag(days.business_date) over (arm_days) as previous_date,
        lag(coalesce(sales.revenue, 0)) over (arm_days) as previous_revenue,
        lag(coalesce(sales.profit, 0)) over (arm_days) as previous_profit
    from days
    left join sales
        on
            days.experiment_id = sales.experiment_id
            and days.arm = sales.arm
            and days.business_date = sales.business_date
    window arm_days as (partition by days.experiment_id, days.arm order by days.business_date)
),

grown as (
    select
        *,
        case when {{ dbt.datediff('previous_date', 'business_date', 'day') }} = 1 then previous_revenue end as revenue_before,
        case when {{ dbt.datediff('previous_date', 'business_date', 'day') }} = 1 then previous_profit end as profit_before
    from daily
)

select
    experiment_id,
    arm,
    business_date,
    cast(units as {{ dbt.type_bigint() }}) as units,
    cast(buyers as {{ dbt.type_bigint() }}) as buyers,
    cast(transactions as {{ dbt.type_bigint() }}) as transactions,
    cast(revenue as {{ money() }}) as revenue,
    cast(profit as {{ money() }}) as profit,
    {{ ratio('buyers', 'units') }} as conversion,
    {{ ratio('revenue - revenue_before', 'revenue_before') }} as revenue_growth,
    -- Growth from a loss to a gain cannot be expressed in per cent.
    case when profit_before > 0 then {{ ratio('profit - profit_before', 'profit_before') }} end as profit_growth,
    {{ as_of() }} as metric_updated_at
from grown
