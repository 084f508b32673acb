{#- A contact may have no offer. It always has a channel and a cell. -#}
{%- set dimensions = {'channel': 'channel_code', 'offer': "coalesce(offer_id, 'none')", 'cell': 'cell_id'} -%}

with contacts as (
    select * from {{ ref('int_contact_outcomes') }}
    where not is_control
),

campaigns as (
    select * from {{ ref('uds_campaign') }}
),

controls as (
    select
        campaign_id,
        customer_id,
        max(conversions) > 0 as has_converted
    from {{ ref('int_contact_outcomes') }}
    where is_control
    group by campaign_id, customer_id
),

control_groups as (
    select
        campaign_id,
        count(*) as control_audience,
        count(*) filter (where has_converted) as control_converted_customers
    from controls
    group by campaign_id
),

by_dimension as (
    {%- for dimension, column in dimensions.items() %}
    select
        campaign_id,
        '{{ dimension }}' as dimension,
        {{ column }} as member,
        count(distinct customer_id) as audience,
        count(*) as contacts,
        count(*) filter (where responses > 0) as responded_contacts,
        count(*) filter (where conversions > 0) as converted_contacts,
        count(distinct customer_id) filter (where conversions > 0) as converted_customers,
        sum(responses) as responses,
        sum(conversions) as conversions,
        sum(contact_cost) as contact_cost,
        sum(response_value) as response_value
    from contacts
    group by campaign_id, member
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

rates as (
    select
        by_dimension.*,
        control_groups.control_audience,
        control_groups.control_converted_customers,
        converted_customers / cast(audience as double) as rate,
        control_converted_customers / cast(control_audience as double) as control_rate,
        {{ two_rates_z('converted_customers', 'audience', 'control_converted_customers', 'control_audience') }} as z
    from by_dimension
    left join control_groups on by_dimension.campaign_id = control_groups.campaign_id
),

bounded as (
    select
        *,
        {{ wilson_bound('rate', 'audience', 'low') }} as rate_low,
        {{ wilson_bound('rate', 'audience', 'high') }} as rate_high,
        {{ wilson_bound('control_rate', 'control_audience', 'low') }} as control_low,
        {{ wilson_bound('control_rate', 'control_audience', 'high') }} as control_high
    from rates
),

tested as (
    select
        *,
        {{ normal_two_sided_p('z') }} as p_value
    from bounded
),

counted as (
    select
        *,
        {{ tests_counted('p_value', 'dimension') }}
    from tested
),

adjusted as (
    select
        *,
        {{ false_discovery_rate('p_value', 'dimension') }} as q_value
    from counted
)

select
    rates.campaign_id,
    campaigns.campaign_name,
    rates.dimension,
    rates.member,
    rates.audience,
    rates.contacts,
    rates.responded_contacts,
    rates.converted_contacts,
    cast(rates.responses as bigint) as responses,
    cast(rates.conversions as bigint) as conversions,
    {{ ratio('rates.responded_contacts', 'rates.contacts', 6) }} as response_rate,
    {{ ratio('rates.converted_contacts', 'rates.contacts', 6) }} as conversion_rate,
    rates.rate as customer_conversion_rate,
    rates.rate - rates.control_rate as lift,
    {{ newcombe_bound('rates.rate', 'rates.rate_low', 'rates.rate_high', 'rates.control_rate', 'rates.control_low', 'rates.control_high', 'low') }}
        as lift_low,
    {{ newcombe_bound('rates.rate', 'rates.rate_low', 'rates.rate_high', 'rates.control_rate', 'rates.control_low', 'rates.control_high', 'high') }}
        as lift_high,
    -- A channel, an offer or a cell has no control group of its own, so its lift also shows how its customers differ.
    case when rates.control_audience is not null then 'campaign' end as control_basis,
    coalesce(rates.control_audience, 0) as control_audience,
    rates.control_rate as control_conversion_rate,
    rates.q_value as lift_q_value,
    rates.q_value <= {{ var('lift_false_discovery_rate') }} as is_lift_significant,
    cast(rates.contact_cost as decimal(18, 4)) as contact_cost,
    {{ ratio('rates.contact_cost', 'rates.responses') }} as cost_per_response,
    cast(rates.response_value as decimal(18, 2)) as response_value,
    {{ as_of() }} as dbt_updated_at
from adjusted as rates
inner join campaigns on rates.campaign_id = campaigns.campaign_id
