-- title: Customer 360 sample
-- tells: Twenty customers with their counts; names and addresses are masked.
select customer_id, substring(first_name, 1, 1) || '***' as first_name, substring(last_name, 1, 1) || '***' as last_name,
    regexp_replace(email, '^(.).*@', '\1***@') as email, contactable_channels, contacts_30d, responses_30d,
    response_rate_365d, last_touch_at, last_touch_type, preferred_channel, dbt_updated_at
from gold.customer_360
order by last_touch_at desc nulls last, customer_id
limit 20;
