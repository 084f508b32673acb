with campaigns as (
    select * from {{ ref('uds_campaign') }}
),

cells as (
    select
        campaign_id,
        count(*) filter (where not is_control) as target_cells,
        count(*) filter (where is_control) as control_cells,
        sum(planned_audience) filter (where not is_control) as planned_audience
    from {{ ref('uds_cell') }}
    group by campaign_id
),

contacts as (
    select * from {{ ref('int_contact_outcomes') }}
),

totals as (
    select
        campaign_id,
        count(*) filter (where not is_control) as contacts,
        count(*) filter (where contact_status = 'delivered') as delivered_contacts,
        count(*) filter (where contact_status = 'bounced') as bounced_contacts,
        count(*) filter (where not is_control and responses > 0) as responded_contacts,
        count(*) filter (where not is_control and conversions > 0) as converted_contacts,
        sum(contact_cost) as contact_cost,
        min(contacted_at) filter (where not is_control) as first_contact_at,
        max(contacted_at) filter (where not is_control) as last_contact_at
    from contacts
    group by campaign_id
),

responses as (
    select
        campaign_id,
        count(*) filter (where not is_unsubscribe and not is_control) as responses,
        count(*) filter (where is_conversion and not is_control) as conversions,
        count(*) filter (where is_unsubscribe and not is_control) as unsubscribes,
        count(*) filter (where not is_attributed) as unattributed_responses,
        sum(response_value) filter (where not is_control) as response_value
    from {{ ref('int_attributed_responses') }}
    group by campaign_id
),

-- The lift counts customers. A customer who was contacted twice counts once.
members as (
    select
        campaign_id,
        customer_id,
        is_control,
        max(conversions) > 0 as has_converted
    from contacts
    group by campaign_id, customer_id, is_control
),

groups as (
    select
        campaign_id,
        count(*) filter (where not is_control) as audience,
        count(*) filter (where not is_control and has_converted) as converted_customers,
        count(*) filter (where is_control) as control_audience,
        count(*) filter (where is_control and has_converted) as control_converted_customers
    from members
    group by campaign_id
),

rates as (
    select
        *,
        converted_customers / cast(nullif(audience, 0) as double) as rate,
        control_converted_customers / cast(nullif(control_audience, 0) as double) as control_rate,
        {{ two_rates_z('converted_customers', 'audience', 'control_converted_customers', 'control_audience') }} as z
    from groups
),

{{ lifts_of('rates') }}

select
    campaigns.campaign_id,
    campaigns.campaign_name,
    campaigns.campaign_type,
    campaigns.campaign_status,
    campaigns.start_date,
    campaigns.end_date,
    campaigns.budget_amount,
    campaigns.currency_code,
    coalesce(cells.target_cells, 0) as target_cells,
    coalesce(cells.control_cells, 0) as control_cells,
    cast(coalesce(cells.planned_audience, 0) as bigint) as planned_audience,
    coalesce(lifts.audience, 0) as audience,
    coalesce(lifts.control_audience, 0) as control_audience,
    coalesce(totals.contacts, 0) as contacts,
    coalesce(totals.delivered_contacts, 0) as delivered_contacts,
    coalesce(totals.bounced_contacts, 0) as bounced_contacts,
    coalesce(totals.responded_contacts, 0) as responded_contacts,
    coalesce(totals.converted_contacts, 0) as converted_contacts,
    coalesce(responses.responses, 0) as responses,
    coalesce(responses.conversions, 0) as conversions,
    coalesce(responses.unsubscribes, 0) as unsubscribes,
    coalesce(responses.unattributed_responses, 0) as unattributed_responses,
    {{ ratio('totals.responded_contacts', 'totals.contacts', 6) }} as response_rate,
    {{ ratio('totals.converted_contacts', 'totals.contacts', 6) }} as conversion_rate,
    coalesce(lifts.converted_customers, 0) as converted_customers,
    coalesce(lifts.control_converted_customers, 0) as control_converted_customers,
    lifts.rate as customer_conversion_rate,
    lifts.control_rate as control_conversion_rate,
    cast(round(lifts.lift, 6) as decimal(18, 6)) as lift,
    cast(round(lifts.lift_low, 6) as decimal(18, 6)) as lift_low,
    cast(round(lifts.lift_high, 6) as decimal(18, 6)) as lift_high,
    lifts.rate / nullif(lifts.control_rate, 0) - 1 as relative_lift,
    lifts.q_value as lift_q_value,
    -- Among many campaigns without an effect, some intervals leave out 0 by chance. NULL without a control group.
    lifts.q_value <= {{ var('lift_false_discovery_rate') }} as is_lift_significant,
    cast(coalesce(totals.contact_cost, 0) as decimal(18, 4)) as contact_cost,
    {{ ratio('totals.contact_cost', 'responses.responses') }} as cost_per_response,
    {{ ratio('totals.contact_cost', 'responses.conversions') }} as cost_per_conversion,
    cast(coalesce(responses.response_value, 0) as decimal(18, 2)) as response_value,
    totals.first_contact_at,
    totals.last_contact_at,
    {{ as_of() }} as dbt_updated_at
from campaigns
left join cells on campaigns.campaign_id = cells.campaign_id
left join totals on campaigns.campaign_id = totals.campaign_id
left join responses on campaigns.campaign_id = responses.campaign_id
left join lifts on campaigns.campaign_id = lifts.campaign_id
