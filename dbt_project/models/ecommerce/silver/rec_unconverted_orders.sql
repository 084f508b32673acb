{{ config(materialized='table') }}

with unconverted as (
    select
        currency,
        count(*) as orders,
        count(distinct order_date) as days,
        min(order_date) as first_date,
        max(order_date) as last_date
    from {{ ref('fact_orders') }}
    where exchange_rate is null
    group by currency
),

newest as (
    select
        currency,
        max(rate_date) as newest_rate_date
    from {{ ref('fact_exchange_rates') }}
    group by currency
)

select
    unconverted.currency,
    cast('{{ var('reporting_currency') }}' as {{ dbt.type_string() }}) as reporting_currency,
    unconverted.orders,
    unconverted.days,
    unconverted.first_date,
    unconverted.last_date,
    newest.newest_rate_date,
    {{ as_of() }} as dbt_updated_at
from unconverted
left join newest on unconverted.currency = newest.currency
