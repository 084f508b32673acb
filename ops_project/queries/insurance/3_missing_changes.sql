-- title: Missing changes
-- tells: Ranges of change numbers that are missing, and whether they were refused, are late, missing or lost.
select first_missing_seq, last_missing_seq, missing_changes, quarantined_changes, gap_class, after_date, before_date
from silver.rec_policy_sequence_gaps
order by first_missing_seq desc
