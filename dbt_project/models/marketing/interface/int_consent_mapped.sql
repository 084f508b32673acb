-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with ma_sat_customer_consent as (
    select * from {{ ref('ma_sat_customer_consent_current') }}
),

hub_customer as (
    select * from {{ ref('hub_customer') }}
),

mapped as (
    select
        hub_customer.customer_id,
        ma_sat_customer_consent.channel as channel_code,
        ma_sat_customer_consent.consent_status,
        ma_sat_customer_consent.consent_source,
        ma_sat_customer_consent.consented_at,
        ma_sat_customer_consent.load_datetime as extracted_at,
        ma_sat_customer_consent.load_seq
    from ma_sat_customer_consent
    left join hub_customer on ma_sat_customer_consent.customer_hk = hub_customer.customer_hk
    where not ma_sat_customer_consent.is_deleted
)

select
    customer_id,
    channel_code,
    consent_status,
    consent_source,
    consented_at,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=['customer_id', 'channel_code', 'consent_status', 'consented_at'],
    ) }} as failed_mappings
from mapped
