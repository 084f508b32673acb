-- title: Rows by layer
-- tells: How many rows of each entity each layer has. Look here first after a failure, to see where rows were lost.
select 'customer' as entity,
    (select count(*) from bronze.mart_customers) as ldz_rows,
    (select count(*) from silver.hub_customer) as hub_keys,
    (select count(*) from silver.sat_customer_profile where record_source <> 'ghost') as satellite_rows,
    (select count(*) from silver.sat_customer_profile_current where not is_deleted) as current_rows,
    (select count(*) from silver.uds_customer) as interface_rows,
    (select count(distinct entity_key) from silver.interface_rejects where entity = 'uds_customer') as rejected_rows,
    (select count(*) from gold.customer_360) as mart_rows
union all
select 'campaign',
    (select count(*) from bronze.mart_campaigns),
    (select count(*) from silver.hub_campaign),
    (select count(*) from silver.sat_campaign_details where record_source <> 'ghost'),
    (select count(*) from silver.sat_campaign_details_current where not is_deleted),
    (select count(*) from silver.uds_campaign),
    (select count(distinct entity_key) from silver.interface_rejects where entity = 'uds_campaign'),
    (select count(*) from gold.campaign_360)
union all
select 'offer',
    (select count(*) from bronze.mart_offers),
    (select count(*) from silver.hub_offer),
    (select count(*) from silver.sat_offer_details where record_source <> 'ghost'),
    (select count(*) from silver.sat_offer_details_current where not is_deleted),
    (select count(*) from silver.uds_offer),
    (select count(distinct entity_key) from silver.interface_rejects where entity = 'uds_offer'),
    null
union all
select 'contact',
    (select count(*) from bronze.mart_contacts),
    (select count(distinct contact_hk) from silver.link_contact),
    (select count(*) from silver.sat_contact_details where record_source <> 'ghost'),
    (select count(*) from silver.sat_contact_details_current where not is_deleted),
    (select count(*) from silver.uds_contact),
    (select count(distinct entity_key) from silver.interface_rejects where entity = 'uds_contact'),
    null
union all
select 'response',
    (select count(*) from bronze.mart_responses),
    (select count(distinct response_hk) from silver.link_response),
    (select count(*) from silver.sat_response_details where record_source <> 'ghost'),
    (select count(*) from silver.sat_response_details_current where not is_deleted),
    (select count(*) from silver.uds_response),
    (select count(distinct entity_key) from silver.interface_rejects where entity = 'uds_response'),
    null;
