{{ config(materialized='table') }}

with versions as (
    select * from {{ ref('fact_policies') }}
    where is_in_force and (valid_to is null or in_force_from < valid_to)
),

-- Only the policies that begin or end on a day are read. So a day costs as much as its changes, and not as much as the
-- whole portfolio.
movements as (
    select in_force_from as business_date, product, region, 1 as policies, premium as amount from versions
    union all
    select valid_to as business_date, product, region, -1 as policies, -premium as amount from versions
    where valid_to is not null
),

moved as (
    select
        business_date,
        product,
        region,
        sum(policies) as policies,
        sum(amount) as amount
    from movements
    group by business_date, product, region
),

-- A file without a change is a delivery too.
landed as (
    select business_date
    from {{ source('ops', 'batches') }}
    where feed = 'policies' and status = 'loaded' and {{ is_plausible('business_date') }}
    group by business_date
),

bounds as (
    select min(business_date) as first_date, max(business_date) as last_date from landed
),

days as (
    select cast(day as date) as business_date
    from bounds, unnest(generate_series(bounds.first_date, bounds.last_date, interval 1 day)) as series (day)
),

segments as (
    select distinct product, region from moved
),

-- A policy that began before the first extract counts from the day of the first extract on.
opening as (
    select
        moved.product,
        moved.region,
        sum(moved.policies) as policies,
        sum(moved.amount) as amount
    from moved
    cross join bounds
    where moved.business_date < bounds.first_date
    group by moved.product, moved.region
),

portfolio as (
    select
        days.business_date,
        segments.product,
        segments.region,
        coalesce(moved.policies, 0) as policies_change,
        coalesce(moved.amount, 0) as amount_change,
        coalesce(opening.policies, 0) + sum(coalesce(moved.policies, 0)) over (
            partition by segments.product, segments.region
            order by days.business_date
            rows unbounded preceding
        ) as policy_count,
        coalesce(opening.amount, 0) + sum(coalesce(moved.amount, 0)) over (
            partition by segments.product, segments.region
            order by days.business_date
            rows unbounded preceding
        ) as premium_amount
    from days
    cross join segments
    left join moved
        on
            days.business_date = moved.business_date
            and segments.product = moved.product
            and segments.region = moved.region
    left join opening on segments.product = opening.product and segments.region = opening.region
)

select
    portfolio.business_date,
    portfolio.product,
    portfolio.region,
    cast(portfolio.policy_count as {{ dbt.type_bigint() }}) as policy_count,
    cast(portfolio.premium_amount as {{ money() }}) as premium_amount,
    {{ ratio('portfolio.premium_amount', 'portfolio.policy_count', 2) }} as average_premium,
    cast(portfolio.policies_change as {{ dbt.type_bigint() }}) as policy_count_change,
    cast(portfolio.amount_change as {{ money() }}) as premium_amount_change,
    -- A day whose extract has not arrived has the figures of the day before. This column marks it.
    landed.business_date is not null as is_complete,
    {{ as_of() }} as metric_updated_at
from portfolio
left join landed on portfolio.business_date = landed.business_date
