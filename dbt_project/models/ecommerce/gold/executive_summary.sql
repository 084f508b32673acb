{{ config(materialized='table') }}

{#- A period is complete if the files of each of its days have arrived, or none are expected. Rows cannot show this. #}
-- Periods end with the newest day that has data (data_through). If they ended with the present day, a file that has not
-- arrived would look like a loss of revenue.
with days as (
    select * from {{ ref('daily_revenue') }}
    where order_date <= {{ as_of_date() }}
),

missing as (
    select business_date from {{ ref('int_delivered_days') }}
    where not is_complete
),

begun as (
    select coalesce(
        (select min(delivered.business_date) from {{ ref('int_delivered_days') }} as delivered),
        (select min(first_days.order_date) from days as first_days)
    ) as first_date
),

newest as (
    select max(order_date) as data_through from days
),

periods as (
    select
        'last_7_days' as period,
        {{ days_later('data_through', -6) }} as period_start,
        {{ days_later('data_through', -13) }} as previous_start,
        {{ days_later('data_through', -7) }} as previous_end,
        data_through
    from newest
    union all
    select
        'last_30_days',
        {{ days_later('data_through', -29) }},
        {{ days_later('data_through', -59) }},
        {{ days_later('data_through', -30) }},
        data_through
    from newest
    union all
    select 'all_time', cast(null as date), cast(null as date), cast(null as date), data_through
    from newest
),

current_period as (
    select
        periods.period,
        sum(days.total_orders) as total_orders,
        sum(days.undone_orders) as undone_orders,
        sum(days.sales_orders) as sales_orders,
        sum(days.units_sold) as units_sold,
        case when {{ all_known('days.gross_revenue') }} then sum(days.gross_revenue) end as gross_revenue,
        case when {{ all_known('days.net_revenue') }} then sum(days.net_revenue) end as net_revenue,
        count(*) as trading_days,
        min(days.order_date) as first_day
    from periods
    inner join days on days.order_date >= coalesce(periods.period_start, days.order_date)
    group by periods.period
),

previous_period as (
    select
        periods.period,
        case when {{ all_known('days.gross_revenue') }} then sum(days.gross_revenue) end as gross_revenue,
        sum(days.total_orders) as total_orders
    from periods
    inner join days on days.order_date between periods.previous_start and periods.previous_end
    cross join begun
    where
        -- Half a month that is compared with a whole month always looks like a loss. So periods are compared only if no
        -- day of them is missing.
        periods.previous_start >= begun.first_date
        and not exists (
            select 1 from missing
            where missing.business_date between periods.previous_start and periods.data_through
        )
    group by periods.period
),

-- A customer who bought on two days is one customer. So the customers of single days cannot be added up.
buyers as (
    select
        periods.period,
        count(distinct customer_days.customer_id) as active_customers
    from periods
    inner join {{ ref('int_customer_days') }} as customer_days
        on
            customer_days.business_date >= coalesce(periods.period_start, customer_days.business_date)
            and customer_days.business_date <= periods.data_through
    where customer_days.sales_orders > 0
    group by periods.period
)

select
    cast(periods.period as {{ dbt.type_string() }}) as period,
    cast(coalesce(periods.period_start, current_period.first_day) as date) as period_start,
    periods.data_through,
    cast(current_period.trading_days as {{ dbt.type_bigint() }}) as trading_days,
    cast(current_period.total_orders as {{ dbt.type_bigint() }}) as total_orders,
    cast(current_period.undone_orders as {{ dbt.type_bigint() }}) as undone_orders,
    cast(coalesce(buyers.active_customers, 0) as {{ dbt.type_bigint() }}) as active_customers,
    cast(current_period.units_sold as {{ dbt.type_bigint() }}) as units_sold,
    cast(current_period.gross_revenue as {{ money() }}) as gross_revenue,
    cast(current_period.net_revenue as {{ money() }}) as net_revenue,
    cast('{{ var('reporting_currency') }}' as {{ dbt.type_string() }}) as reporting_currency,
    {{ ratio('current_period.gross_revenue', 'current_period.sales_orders', 2) }} as average_order_value,
    cast(previous_period.gross_revenue as {{ money() }}) as previous_gross_revenue,
    {{ ratio('current_period.gross_revenue - previous_period.gross_revenue', 'previous_period.gross_revenue') }}
        as revenue_growth,
    {{ ratio('current_period.total_orders - previous_period.total_orders', 'previous_period.total_orders') }}
        as orders_growth,
    {{ as_of() }} as metric_updated_at
from periods
inner join current_period on periods.period = current_period.period
left join previous_period on periods.period = previous_period.period
left join buyers on periods.period = buyers.period
