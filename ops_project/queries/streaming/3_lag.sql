-- title: Lag
-- tells: How old the newest loaded stream is, and when the last file was loaded.
select
    max(listened_at) as newest_event,
    date_diff('second', max(listened_at), $as_of) as event_age_seconds,
    max(ingestion_timestamp) as last_load
from bronze.streams
