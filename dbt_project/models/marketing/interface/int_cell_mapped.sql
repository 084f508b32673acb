-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with eff_sat_campaign_offer as (
    select * from {{ ref('eff_sat_campaign_offer_current') }}
),

link_campaign_offer as (
    select * from {{ ref('link_campaign_offer') }}
),

hub_cell as (
    select * from {{ ref('hub_cell') }}
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

sat_cell_details as (
    select * from {{ ref('sat_cell_details_current') }}
),

mapped as (
    select
        hub_cell.cell_id,
        hub_campaign.campaign_id,
        hub_offer.offer_id,
        hub_channel.channel as channel_code,
        trim(sat_cell_details.cell_name) as cell_name,
        sat_cell_details.is_control,
        sat_cell_details.planned_size as planned_audience,
        eff_sat_campaign_offer.load_datetime as extracted_at,
        eff_sat_campaign_offer.load_seq
    from eff_sat_campaign_offer
    left join link_campaign_offer on eff_sat_campaign_offer.link_campaign_offer_hk = link_campaign_offer.link_campaign_offer_hk
    left join hub_cell on eff_sat_campaign_offer.cell_hk = hub_cell.cell_hk
    left join hub_campaign on link_campaign_offer.campaign_hk = hub_campaign.campaign_hk
    left join hub_offer on link_campaign_offer.offer_hk = hub_offer.offer_hk
    left join hub_channel on link_campaign_offer.channel_hk = hub_channel.channel_hk
    left join sat_cell_details on eff_sat_campaign_offer.cell_hk = sat_cell_details.cell_hk
    where not eff_sat_campaign_offer.is_deleted
)

select
    cell_id,
    campaign_id,
    offer_id,
    channel_code,
    cell_name,
    is_control,
    planned_audience,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=['cell_id', 'campaign_id', 'channel_code', 'cell_name', 'is_control'],
    ) }} as failed_mappings
from mapped
