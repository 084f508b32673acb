-- title: Engagement by day
-- tells: Each day of the last four weeks against the value that the same weekdays of eight weeks predict. A spike on a holiday is expected.
select
    business_date, active_units, expected_units, z_score, sessions_z_score, engaged_seconds_z_score, is_holiday, status
from silver.rec_engagement_days
order by business_date desc
limit 28
