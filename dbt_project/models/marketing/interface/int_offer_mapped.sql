-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with hub_offer as (
    {{ standing_keys(
        hub='hub_offer',
        src_pk='offer_hk',
        src_nk='offer_id',
        described_by='sat_offer_details_current',
        source_model={
            'stg_mart_offers': ['offer_id'],
            'stg_mart_cells': ['offer_id'],
            'stg_mart_contacts': ['offer_id'],
            'stg_mart_responses': ['offer_id'],
        },
    ) }}
),

sat_offer_details as (
    select * from {{ ref('sat_offer_details_current') }}
),

mapped as (
    select
        hub_offer.offer_id,
        trim(sat_offer_details.offer_name) as offer_name,
        sat_offer_details.offer_type,
        sat_offer_details.discount_percent,
        sat_offer_details.valid_from,
        sat_offer_details.valid_to,
        sat_offer_details.load_datetime as extracted_at,
        coalesce(sat_offer_details.load_seq, hub_offer.named_in) as load_seq
    from hub_offer
    left join sat_offer_details on hub_offer.offer_hk = sat_offer_details.offer_hk
    where not coalesce(sat_offer_details.is_deleted, false)
)

select
    offer_id,
    offer_name,
    offer_type,
    discount_percent,
    valid_from,
    valid_to,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=['offer_id', 'offer_name', 'offer_type'],
    ) }} as failed_mappings
from mapped
