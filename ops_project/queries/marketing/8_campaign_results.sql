-- title: Campaign results
-- tells: Audience, contacts, rates and the lift of each running campaign against its control, with the interval.
select campaign_id, campaign_name, audience, control_audience, contacts, response_rate, conversion_rate, lift, lift_low,
    lift_high, lift_q_value, is_lift_significant, cost_per_response, dbt_updated_at
from gold.campaign_360
where last_contact_at > $as_of - interval 30 day
order by contacts desc, campaign_id;
