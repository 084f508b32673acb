-- title: Validation
-- tells: The worst 15 minutes and the worst hour of each of the last days, by the time of listening and of loading.
select
    business_date,
    clock,
    events,
    refused,
    reference_violations,
    round(100 * worst_error_rate, 2) as worst_error_percent,
    worst_error_window_end,
    worst_reference_violations,
    is_error_rate_within and is_reference_within as is_passed
from silver.rec_stream_validation
order by business_date desc, clock
limit 28
