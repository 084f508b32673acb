-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with sat_response_details as (
    select * from {{ ref('sat_response_details_current') }}
),

link_response as (
    select * from {{ ref('link_response') }}
),

hub_customer as (
    select * from {{ ref('hub_customer') }}
),

hub_campaign as (
    select * from {{ ref('hub_campaign') }}
),

hub_offer as (
    select * from {{ ref('hub_offer') }}
),

hub_channel as (
    select * from {{ ref('hub_channel') }}
),

mapped as (
    select
        link_response.response_id,
        sat_response_details.treatment_id as contact_id,
        hub_customer.customer_id,
        hub_campaign.campaign_id,
        hub_offer.offer_id,
        hub_channel.channel as channel_code,
        sat_response_details.response_type,
        cast(sat_response_details.response_type = 'conversion' as boolean) as is_conversion,
        sat_response_details.responded_at,
        cast(coalesce(sat_response_details.response_value, 0) as decimal(18,2)) as response_value,
        sat_response_details.load_datetime as extracted_at,
        sat_response_details.load_seq
    from sat_response_details
    left join link_response on sat_response_details.link_response_hk = link_response.link_response_hk
    left join hub_customer on link_response.customer_hk = hub_customer.customer_hk
    left join hub_campaign on link_response.campaign_hk = hub_campaign.campaign_hk
    left join hub_offer on link_response.offer_hk = hub_offer.offer_hk
    left join hub_channel on link_response.channel_hk = hub_channel.channel_hk
    where not sat_response_details.is_deleted
)

select
    response_id,
    contact_id,
    customer_id,
    campaign_id,
    offer_id,
    channel_code,
    response_type,
    is_conversion,
    responded_at,
    response_value,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=[
            'response_id',
            'contact_id',
            'customer_id',
            'campaign_id',
            'channel_code',
            'response_type',
            'is_conversion',
            'responded_at',
            'response_value',
        ],
    ) }} as failed_mappings
from mapped
