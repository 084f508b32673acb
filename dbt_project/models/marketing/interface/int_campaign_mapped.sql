-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with hub_campaign as (
    {{ standing_keys(
        hub='hub_campaign',
        src_pk='campaign_hk',
        src_nk='campaign_id',
        described_by='sat_campaign_details_current',
        source_model={
            'stg_mart_campaigns': ['campaign_id'],
            'stg_mart_cells': ['campaign_id'],
            'stg_mart_contacts': ['campaign_id'],
            'stg_mart_responses': ['campaign_id'],
        },
    ) }}
),

sat_campaign_details as (
    select * from {{ ref('sat_campaign_details_current') }}
),

mapped as (
    select
        hub_campaign.campaign_id,
        trim(sat_campaign_details.campaign_name) as campaign_name,
        sat_campaign_details.campaign_type,
        sat_campaign_details.campaign_status,
        sat_campaign_details.start_date,
        sat_campaign_details.end_date,
        cast(sat_campaign_details.budget_amount as decimal(18,2)) as budget_amount,
        upper(sat_campaign_details.currency) as currency_code,
        sat_campaign_details.load_datetime as extracted_at,
        coalesce(sat_campaign_details.load_seq, hub_campaign.named_in) as load_seq
    from hub_campaign
    left join sat_campaign_details on hub_campaign.campaign_hk = sat_campaign_details.campaign_hk
    where not coalesce(sat_campaign_details.is_deleted, false)
)

select
    campaign_id,
    campaign_name,
    campaign_type,
    campaign_status,
    start_date,
    end_date,
    budget_amount,
    currency_code,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=['campaign_id', 'campaign_name', 'campaign_type', 'campaign_status', 'start_date'],
    ) }} as failed_mappings
from mapped
