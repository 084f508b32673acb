with contacts as (
    select * from {{ ref('uds_contact') }}
    where contacted_at <= {{ as_of() }}
),

outcomes as (
    select
        contact_id,
        count(*) filter (where not is_unsubscribe) as responses,
        count(*) filter (where is_conversion) as conversions,
        count(*) filter (where is_unsubscribe) as unsubscribes,
        sum(response_value) as response_value
    from {{ ref('int_attributed_responses') }}
    group by contact_id
)

select
    contacts.contact_id,
    contacts.customer_id,
    contacts.campaign_id,
    contacts.cell_id,
    contacts.offer_id,
    contacts.channel_code,
    contacts.contact_status,
    contacts.contact_status = 'control' as is_control,
    contacts.contacted_at,
    contacts.contact_cost,
    coalesce(outcomes.responses, 0) as responses,
    coalesce(outcomes.conversions, 0) as conversions,
    coalesce(outcomes.unsubscribes, 0) as unsubscribes,
    coalesce(outcomes.response_value, 0) as response_value
from contacts
left join outcomes on contacts.contact_id = outcomes.contact_id
