-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with sat_contact_details as (
    select * from {{ ref('sat_contact_details_current') }}
),

link_contact as (
    select * from {{ ref('link_contact') }}
),

hub_customer as (
    select * from {{ ref('hub_customer') }}
),

hub_campaign as (
    select * from {{ ref('hub_campaign') }}
),

hub_cell as (
    select * from {{ ref('hub_cell') }}
),

hub_offer as (
    select * from {{ ref('hub_offer') }}
),

hub_channel as (
    select * from {{ ref('hub_channel') }}
),

mapped as (
    select
        link_contact.treatment_id as contact_id,
        hub_customer.customer_id,
        hub_campaign.campaign_id,
        hub_cell.cell_id,
        hub_offer.offer_id,
        hub_channel.channel as channel_code,
        sat_contact_details.contact_status,
        sat_contact_details.contacted_at,
        cast(coalesce(sat_contact_details.contact_cost, 0) as decimal(18,4)) as contact_cost,
        sat_contact_details.load_datetime as extracted_at,
        sat_contact_details.load_seq
    from sat_contact_details
    left join link_contact on sat_contact_details.link_contact_hk = link_contact.link_contact_hk
    left join hub_customer on link_contact.customer_hk = hub_customer.customer_hk
    left join hub_campaign on link_contact.campaign_hk = hub_campaign.campaign_hk
    left join hub_cell on link_contact.cell_hk = hub_cell.cell_hk
    left join hub_offer on link_contact.offer_hk = hub_offer.offer_hk
    left join hub_channel on link_contact.channel_hk = hub_channel.channel_hk
    where not sat_contact_details.is_deleted
)

select
    contact_id,
    customer_id,
    campaign_id,
    cell_id,
    offer_id,
    channel_code,
    contact_status,
    contacted_at,
    contact_cost,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=[
            'contact_id',
            'customer_id',
            'campaign_id',
            'cell_id',
            'channel_code',
            'contact_status',
            'contacted_at',
            'contact_cost',
        ],
    ) }} as failed_mappings
from mapped
