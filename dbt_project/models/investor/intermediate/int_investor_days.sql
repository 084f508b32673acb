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
)

select
    coalesce(sales.business_date, spend.business_date) as business_date,
    coalesce(sales.transactions, 0) as transactions,
    cast(coalesce(sales.revenue, 0) as {{ money() }}) as revenue,
    cast(coalesce(sales.cost, 0) as {{ money() }}) as cost,
    cast(coalesce(sales.gross_profit, 0) as {{ money() }}) as gross_profit,
    cast(coalesce(spend.marketing_spend, 0) as {{ money() }}) as marketing_spend,
    cast(coalesce(sales.gross_profit, 0) - coalesce(spend.marketing_spend, 0) as {{ money() }}) as profit,
    sales.business_date is not null as has_transactions,
    spend.business_date is not null as has_spend,
    {{ is_us_holiday('coalesce(sales.business_date, spend.business_date)') }} as is_holiday,
    {{ as_of() }} as dbt_updated_at
from sales
full outer join spend on sales.business_date = spend.business_date
