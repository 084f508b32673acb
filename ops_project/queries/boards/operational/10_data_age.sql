-- title: Newest data by domain
-- tells: For each domain the business date up to which every expected feed has been loaded. If a feed never came, the date is unknown.
-- source: snapshot
-- shape: table
-- empty: No feed is known to the warehouse yet.
select
    feeds.domain,
    case
        when count(*) = count(newest.business_date) then min(newest.business_date)
    end as complete_through,
    count(*) as feeds,
    count(*) - count(newest.business_date) as feeds_without_data
from ops.feeds
left join (
    select feed, max(business_date) as business_date from ops.batches where status = 'loaded' group by feed
) as newest on feeds.feed = newest.feed
where feeds.enabled
group by feeds.domain
order by feeds.domain
