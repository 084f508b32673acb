{{ config(materialized='table') }}

with sales as (
    select
        business_date,
        count(*) as transactions,
        sum(revenue) as revenue,
        sum(cost) as cost,
        sum(profit) as gross_profit
    from {{ ref('fact_transactions') }}
    group by business_date
),

spend as (
    select business_date, sum(spend_amount) as marketing_spend
    from {{ ref('fact_marketing_spend') }}
    group by business_date
),

deliveries as (
    select * from {{ ref('int_investor_deliveries') }}
),

days as (
    select business_date from sales
    union
    select business_date from spend
    union
    select business_date from deliveries
    where transactions_complete or marketing_spend_complete
),

journal as (
    select count(*) > 0 as is_kept from deliveries
)

select
    days.business_date,
    coalesce(sales.transactions, 0) as transactions,
    cast(coalesce(sales.revenue, 0) as {{ money() }}) as revenue,
    cast(coalesce(sales.cost, 0) as {{ money() }}) as cost,
    cast(coalesce(sales.gross_profit, 0) as {{ money() }}) as gross_profit,
    cast(coalesce(spend.marketing_spend, 0) as {{ money() }}) as marketing_spend,
    cast(coalesce(sales.gross_profit, 0) - coalesce(spend.marketing_spend, 0) as {{ money() }}) as profit,
    -- A day is complete when all its files were delivered. Without a journal of deliveries, the day's rows decide.
    case
        when journal.is_kept then coalesce(deliveries.transactions_complete, false)
        else sales.business_date is not null
    end as has_transactions,
    case
        when journal.is_kept then coalesce(deliveries.marketing_spend_complete, false)
        else spend.business_date is not null
    end as has_spend,
    {{ is_us_holiday('days.business_date') }} as is_holiday,
    {{ as_of() }} as dbt_updated_at
from days
cross join journal
left join sales on days.business_date = sales.business_date
left join spend on days.business_date = spend.business_date
left join deliveries on days.business_date = deliveries.business_date
