-- title: Campaigns
-- tells: The ten campaigns with the most contacts over all channels: the share of contacts that responded, and the share that converted.
-- source: snapshot
-- shape: table
select
    campaign_name,
    sum(contacts) as contacts,
    sum(responded_contacts) as responded,
    sum(converted_contacts) as converted,
    round(100.0 * sum(responded_contacts) / nullif(sum(contacts), 0), 2) as response_percent,
    round(100.0 * sum(converted_contacts) / nullif(sum(contacts), 0), 2) as conversion_percent,
    round(sum(contact_cost), 2) as contact_cost
from gold.campaign_performance
where dimension = 'channel'
group by campaign_id, campaign_name
order by contacts desc, campaign_name
limit 10
