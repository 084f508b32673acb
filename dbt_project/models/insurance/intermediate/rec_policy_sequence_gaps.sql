{{ config(materialized='table') }}

{#
  A gap in cdc_seq has one of four causes, and each cause has its own remedy:

  - Landing refused rows. Replay their file.
  - A file is late. Wait for it.
  - A file is missing. Ask the source for it.
  - Changes were lost, although their files came. Ask the source for the changes.
#}
with numbers as (
    select
        cdc_seq,
        business_date,
        -- A change that was sent again is in the files of several dates.
        lead(cdc_seq) over (order by cdc_seq, business_date) as next_seq,
        lead(business_date) over (order by cdc_seq, business_date) as next_date
    from {{ ref('stg_policy_changes') }}
),

gaps as (
    select
        cdc_seq + 1 as first_missing_seq,
        next_seq - 1 as last_missing_seq,
        next_seq - cdc_seq - 1 as missing_changes,
        business_date as after_date,
        next_date as before_date
    from numbers
    where next_seq - cdc_seq > 1
),

-- By the contract the number is the first field of the line. A line without a readable number explains no gap.
refused as (
    select distinct try_cast(trim(split_part(raw_text, ',', 1), ' "') as {{ dbt.type_bigint() }}) as cdc_seq
    from {{ source('ops', 'quarantine') }}
    where feed = 'policies'
),

refused_in_gap as (
    select gaps.first_missing_seq, count(*) as refused_changes
    from gaps
    inner join refused on refused.cdc_seq between gaps.first_missing_seq and gaps.last_missing_seq
    group by gaps.first_missing_seq
),

partitions_missing as (
    select distinct gaps.first_missing_seq
    from gaps
    inner join {{ source('ops', 'findings') }} as findings
        on
            findings.business_date > gaps.after_date
            and findings.business_date < gaps.before_date
    where findings.feed = 'policies' and findings.kind = 'source_missing' and findings.state = 'open'
),

-- A file without any change is possible. Then no file is late.
partitions_delivered as (
    select gaps.first_missing_seq, count(distinct batches.business_date) as files
    from gaps
    inner join {{ source('ops', 'batches') }} as batches
        on
            batches.business_date > gaps.after_date
            and batches.business_date < gaps.before_date
    where batches.feed = 'policies' and batches.status = 'loaded'
    group by gaps.first_missing_seq
)

select
    gaps.first_missing_seq,
    gaps.last_missing_seq,
    cast(gaps.missing_changes as {{ dbt.type_bigint() }}) as missing_changes,
    cast(coalesce(refused_in_gap.refused_changes, 0) as {{ dbt.type_bigint() }}) as quarantined_changes,
    gaps.after_date,
    gaps.before_date,
    case
        when refused_in_gap.refused_changes = gaps.missing_changes then 'quarantined'
        when partitions_missing.first_missing_seq is not null then 'missing_partition'
        when {{ dbt.datediff('gaps.after_date', 'gaps.before_date', 'day') }} - 1 > coalesce(partitions_delivered.files, 0)
            then 'late_partition'
        else 'lost_changes'
    end as gap_class,
    {{ as_of() }} as metric_updated_at
from gaps
left join refused_in_gap on gaps.first_missing_seq = refused_in_gap.first_missing_seq
left join partitions_missing on gaps.first_missing_seq = partitions_missing.first_missing_seq
left join partitions_delivered on gaps.first_missing_seq = partitions_delivered.first_missing_seq
