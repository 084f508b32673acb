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

{{ lifts_of('rates', family='dimension') }}

select
    lifts.campaign_id,
    campaigns.campaign_name,
    lifts.dimension,
    lifts.member,
    lifts.audience,
    lifts.contacts,
    lifts.responded_contacts,
    lifts.converted_contacts,
    cast(lifts.responses as bigint) as responses,
    cast(lifts.conversions as bigint) as conversions,
    {{ ratio('lifts.responded_contacts', 'lifts.contacts', 6) }} as response_rate,
    {{ ratio('lifts.converted_contacts', 'lifts.contacts', 6) }} as conversion_rate,
    lifts.rate as customer_conversion_rate,
    lifts.lift,
    lifts.lift_low,
    lifts.lift_high,
    -- A channel, offer or cell has no control group of its own. So its lift also contains the differences of its
    -- customers.
    case when lifts.control_audience is not null then 'campaign' end as control_basis,
    coalesce(lifts.control_audience, 0) as control_audience,
    lifts.control_rate as control_conversion_rate,
    lifts.q_value as lift_q_value,
    lifts.q_value <= {{ var('lift_false_discovery_rate') }} as is_lift_significant,
    cast(lifts.contact_cost as decimal(18, 4)) as contact_cost,
    {{ ratio('lifts.contact_cost', 'lifts.responses') }} as cost_per_response,
    cast(lifts.response_value as decimal(18, 2)) as response_value,
    {{ as_of() }} as dbt_updated_at
from lifts
inner join campaigns on lifts.campaign_id = campaigns.campaign_id
