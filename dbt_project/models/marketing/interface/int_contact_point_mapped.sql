-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.
{{ config(materialized='view') }}

with ma_sat_customer_contact_point as (
    select * from {{ ref('ma_sat_customer_contact_point_current') }}
),

hub_customer as (
    select * from {{ ref('hub_customer') }}
),

mapped as (
    select
        hub_customer.customer_id,
        ma_sat_customer_contact_point.contact_point_type as channel_code,
        ma_sat_customer_contact_point.contact_point_number,
        ma_sat_customer_contact_point.contact_point_value,
        cast(coalesce(ma_sat_customer_contact_point.is_preferred, false) as boolean) as is_preferred,
        cast(coalesce(ma_sat_customer_contact_point.is_valid, false) as boolean) as is_valid,
        ma_sat_customer_contact_point.load_datetime as extracted_at,
        ma_sat_customer_contact_point.load_seq
    from ma_sat_customer_contact_point
    left join hub_customer on ma_sat_customer_contact_point.customer_hk = hub_customer.customer_hk
    where not ma_sat_customer_contact_point.is_deleted
)

select
    customer_id,
    channel_code,
    contact_point_number,
    contact_point_value,
    is_preferred,
    is_valid,
    extracted_at,
    load_seq,
    {{ failed_mappings(
        mandatory=[
            'customer_id',
            'channel_code',
            'contact_point_number',
            'contact_point_value',
            'is_preferred',
            'is_valid',
        ],
    ) }} as failed_mappings
from mapped
