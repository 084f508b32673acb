-- title: Open findings
-- tells: The open findings of landing: files that are missing, late, empty, partial or changed in structure, and duplicate keys.
select found.kind, found.feed, found.business_date, found.file_name, found.message, found.observed_at
from ops.findings as found
where found.state = 'open' and found.feed like 'mart!_%' escape '!'
order by found.observed_at desc;
