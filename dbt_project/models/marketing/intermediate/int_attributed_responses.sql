with responses as (
    select * from {{ ref('uds_response') }}
),

contacts as (
    select * from {{ ref('uds_contact') }}
)

select
    responses.response_id,
    responses.contact_id,
    responses.customer_id,
    responses.campaign_id,
    contacts.cell_id,
    responses.offer_id,
    responses.channel_code,
    responses.response_type,
    responses.is_conversion,
    responses.response_type = 'unsubscribe' as is_unsubscribe,
    contacts.contact_id is not null as is_attributed,
    -- A response whose contact is not known does not count as control, because the contact may have taken place.
    coalesce(contacts.contact_status = 'control', false) as is_control,
    responses.responded_at,
    responses.response_value
from responses
left join contacts on responses.contact_id = contacts.contact_id
where responses.responded_at <= {{ as_of() }}
