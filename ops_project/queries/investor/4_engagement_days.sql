-- title: Engagement by day
-- tells: Active units of the last four weeks against what was expected; a spike on a holiday is expected.
select business_date, active_units, expected_units, z_score, is_holiday, status
from silver.rec_engagement_days
order by business_date desc
limit 28
