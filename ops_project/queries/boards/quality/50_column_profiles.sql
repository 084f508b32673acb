-- title: Columns of the newest files against the files before
-- tells: The values of each column in the newest loaded file of each feed, and the median of up to 28 files before it. The columns that moved most come first. For a text, the typical value is its length; for a date, the number of days after the file's own date. Of a large file, only a sample is measured.
-- source: snapshot
-- shape: table
-- empty: No file has been profiled yet: `ops run` profiles each file that it loads.
with files as (
    select batches.feed, batch_id, batches.business_date, batches.load_seq,
        row_number() over (partition by batches.feed order by batches.business_date desc, batches.load_seq desc) as back
    from ops.batches as batches
    where batches.status = 'loaded' and batch_id in (select batch_id from ops.column_profiles)
),
described as (
    select files.feed, files.back, files.business_date, profiles.column_name, profiles.rows,
        100.0 * profiles.filled / nullif(profiles.rows, 0) as filled_percent,
        coalesce(profiles.median, profiles.mean) as typical, profiles.tenth, profiles.ninetieth
    from ops.column_profiles as profiles
    inner join files using (batch_id)
    where files.back <= 29
),
earlier as (
    select feed, column_name, median(filled_percent) as filled_percent, median(typical) as typical,
        median(ninetieth - tenth) as spread
    from described
    where back > 1
    group by feed, column_name
)
select now.feed || '.' || now.column_name as of_column, now.business_date, now.rows,
    round(now.filled_percent, 2) as filled_percent, round(earlier.filled_percent, 2) as filled_before,
    round(now.typical, 4) as typical, round(earlier.typical, 4) as typical_before,
    round(now.tenth, 4) as lowest_tenth, round(now.ninetieth, 4) as highest_tenth
from described as now
left join earlier using (feed, column_name)
where now.back = 1
order by
    earlier.feed is null,
    abs(now.filled_percent - earlier.filled_percent) / 100.0
        + coalesce(abs(now.typical - earlier.typical) / nullif(greatest(abs(earlier.typical), earlier.spread), 0), 0) desc nulls last,
    of_column
