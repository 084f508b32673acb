{%- set channels = ['email', 'sms', 'post', 'push'] -%}
{%- set windows = [30, 90, 365] -%}

with customers as (
    select * from {{ ref('uds_customer') }}
),

consents as (
    select
        customer_id,
        {%- for channel in channels %}
        max(consent_status) filter (where channel_code = '{{ channel }}') as {{ channel }}_consent
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('uds_consent') }}
    group by customer_id
),

addresses as (
    select
        customer_id,
        {%- for channel in channels %}
        bool_or(is_valid) filter (where channel_code = '{{ channel }}') as has_valid_{{ channel }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('uds_contact_point') }}
    group by customer_id
),

-- A member of a control cell is not contacted. So the member's row among the contacts does not count.
contacts as (
    select * from {{ ref('int_contact_outcomes') }}
    where not is_control
),

contacts_of_customer as (
    select
        customer_id,
        {%- for days in windows %}
        count(*) filter (where {{ in_last_days('contacted_at', days) }}) as contacts_{{ days }}d,
        count(*) filter (where {{ in_last_days('contacted_at', days) }} and responses > 0)
            as responded_contacts_{{ days }}d,
        count(*) filter (where {{ in_last_days('contacted_at', days) }} and conversions > 0)
            as converted_contacts_{{ days }}d
        {{- ',' if not loop.last }}
        {%- endfor %}
    from contacts
    group by customer_id
),

last_contacts as (
    select
        customer_id,
        channel_code,
        campaign_id,
        contacted_at,
        row_number() over (partition by customer_id order by contacted_at desc, contact_id desc) as place
    from contacts
),

responses as (
    select * from {{ ref('int_attributed_responses') }}
    where not is_control
),

responses_of_customer as (
    select
        customer_id,
        {%- for days in windows %}
        count(*) filter (where not is_unsubscribe and {{ in_last_days('responded_at', days) }}) as responses_{{ days }}d,
        count(*) filter (where is_conversion and {{ in_last_days('responded_at', days) }}) as conversions_{{ days }}d,
        {%- endfor %}
        count(*) filter (where is_unsubscribe and {{ in_last_days('responded_at', 365) }}) as unsubscribes_365d,
        coalesce(sum(response_value) filter (where {{ in_last_days('responded_at', 365) }}), 0) as response_value_365d,
        max(responded_at) filter (where not is_unsubscribe) as last_response_at
    from responses
    group by customer_id
),

last_responses as (
    select
        customer_id,
        channel_code,
        campaign_id,
        response_type,
        responded_at,
        row_number() over (partition by customer_id order by responded_at desc, response_id desc) as place
    from responses
),

channel_counts as (
    select
        customer_id,
        channel_code,
        count(*) as responses,
        max(responded_at) as last_response_at
    from responses
    where not is_unsubscribe and {{ in_last_days('responded_at', 365) }}
    group by customer_id, channel_code
),

preferred_channels as (
    select
        customer_id,
        channel_code,
        row_number() over (
            partition by customer_id
            order by responses desc, last_response_at desc, channel_code
        ) as place
    from channel_counts
),

-- Scores are fifths of the customers who ever responded. Customers with equal values all get the lowest of their
-- scores.
scores as (
    select
        customer_id,
        cast(least(5, 1 + floor(5 * percent_rank() over (order by last_response_at))) as integer) as recency_score,
        cast(least(5, 1 + floor(5 * percent_rank() over (order by responses_365d))) as integer) as frequency_score,
        cast(least(5, 1 + floor(5 * percent_rank() over (order by response_value_365d))) as integer) as value_score
    from responses_of_customer
    where last_response_at is not null
),

combined as (
    select
        customers.*,
        {%- for channel in channels %}
        coalesce(consents.{{ channel }}_consent, 'unknown') as {{ channel }}_consent,
        coalesce(consents.{{ channel }}_consent = 'opted_in' and addresses.has_valid_{{ channel }}, false)
            as is_contactable_by_{{ channel }},
        {%- endfor %}
        {%- for days in windows %}
        coalesce(contacts_of_customer.contacts_{{ days }}d, 0) as contacts_{{ days }}d,
        contacts_of_customer.responded_contacts_{{ days }}d,
        contacts_of_customer.converted_contacts_{{ days }}d,
        coalesce(responses_of_customer.responses_{{ days }}d, 0) as responses_{{ days }}d,
        coalesce(responses_of_customer.conversions_{{ days }}d, 0) as conversions_{{ days }}d,
        {%- endfor %}
        coalesce(responses_of_customer.unsubscribes_365d, 0) as unsubscribes_365d,
        coalesce(responses_of_customer.response_value_365d, 0) as response_value_365d,
        responses_of_customer.last_response_at,
        last_contacts.contacted_at as last_contact_at,
        last_contacts.channel_code as last_contact_channel,
        last_contacts.campaign_id as last_contact_campaign_id,
        last_responses.responded_at as last_touch_response_at,
        last_responses.channel_code as last_response_channel,
        last_responses.campaign_id as last_response_campaign_id,
        last_responses.response_type as last_response_type,
        preferred_channels.channel_code as preferred_channel,
        coalesce(scores.recency_score, 0) as recency_score,
        coalesce(scores.frequency_score, 0) as frequency_score,
        coalesce(scores.value_score, 0) as value_score
    from customers
    left join consents on customers.customer_id = consents.customer_id
    left join addresses on customers.customer_id = addresses.customer_id
    left join contacts_of_customer on customers.customer_id = contacts_of_customer.customer_id
    left join responses_of_customer on customers.customer_id = responses_of_customer.customer_id
    left join last_contacts on customers.customer_id = last_contacts.customer_id and last_contacts.place = 1
    left join last_responses on customers.customer_id = last_responses.customer_id and last_responses.place = 1
    left join preferred_channels
        on customers.customer_id = preferred_channels.customer_id and preferred_channels.place = 1
    left join scores on customers.customer_id = scores.customer_id
),

touched as (
    select
        *,
        -- A response comes after the contact that it answers, even if both have the same second.
        coalesce(last_touch_response_at >= last_contact_at, last_contact_at is null) as is_last_touch_a_response
    from combined
)

select
    customer_id,
    first_name,
    last_name,
    email,
    birth_date,
    gender,
    street,
    city,
    region_code,
    postal_code,
    country_code,
    customer_status,
    value_band,
    lifetime_value,
    registered_on,
    {{ dbt.datediff('registered_on', as_of_date(), 'day') }} as tenure_days,
    {%- for channel in channels %}
    {{ channel }}_consent,
    {%- endfor %}
    {%- for channel in channels %}
    is_contactable_by_{{ channel }},
    {%- endfor %}
    {% for channel in channels %}cast(is_contactable_by_{{ channel }} as integer){{ ' + ' if not loop.last }}{% endfor %}
        as contactable_channels,
    {% for channel in channels %}is_contactable_by_{{ channel }}{{ ' or ' if not loop.last }}{% endfor %} as is_contactable,
    {%- for days in windows %}
    contacts_{{ days }}d,
    responses_{{ days }}d,
    conversions_{{ days }}d,
    {{ ratio('responded_contacts_' ~ days ~ 'd', 'contacts_' ~ days ~ 'd', 6) }} as response_rate_{{ days }}d,
    {{ ratio('converted_contacts_' ~ days ~ 'd', 'contacts_' ~ days ~ 'd', 6) }} as conversion_rate_{{ days }}d,
    {%- endfor %}
    unsubscribes_365d,
    {{ dbt.datediff('last_response_at', as_of(), 'day') }} as recency_days,
    responses_365d as frequency_365d,
    cast(response_value_365d as decimal(18, 2)) as value_365d,
    recency_score,
    frequency_score,
    value_score,
    last_contact_at,
    last_response_at,
    case when is_last_touch_a_response then last_touch_response_at else last_contact_at end as last_touch_at,
    case
        when is_last_touch_a_response then last_response_type
        when last_contact_at is not null then 'contact'
    end as last_touch_type,
    case when is_last_touch_a_response then last_response_channel else last_contact_channel end as last_touch_channel,
    case when is_last_touch_a_response then last_response_campaign_id else last_contact_campaign_id end
        as last_touch_campaign_id,
    preferred_channel,
    {{ as_of() }} as dbt_updated_at
from touched
