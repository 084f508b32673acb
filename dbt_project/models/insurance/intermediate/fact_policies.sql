{{
    config(
        materialized='incremental',
        incremental_strategy='rewind',
        unique_key='policy_version_id',
        on_schema_change='fail',
        meta={'feeds': ['policies']},
    )
}}

{%- set columns = [
    'policy_id', 'product', 'region', 'policy_status', 'premium', 'is_erased', 'effective_date', 'cancelled_date',
    'changes_of_the_day', 'cdc_seq', 'business_date',
] %}
{%- do require_types_of(ref('ods_policies'), columns) %}

with states as (
    select
        {{ columns | join(',\n        ') }},
        false as is_base,
        cast(null as date) as known_valid_to
    from {{ ref('ods_policies') }}
    -- An older home can hold a change of the year 1 or 9999. Its number would outrank every real change.
    where {{ since_touched('business_date') }} and {{ is_plausible('business_date') }}
    {%- if is_incremental() %}
    union all
    -- The version that held on the day before the earliest touched date: its end can move.
    select
        {{ columns | join(',\n        ') }},
        true as is_base,
        valid_to as known_valid_to
    from {{ this }}
    where
        not ({{ since_touched('valid_from') }})
        and {{ is_plausible('valid_from') }}
        and (valid_to is null or {{ since_touched('valid_to') }})
    {%- endif %}
),

known as (
    select
        *,
        max(cdc_seq) over (
            partition by policy_id
            order by business_date
            rows between unbounded preceding and 1 preceding
        ) as highest_seq_before
    from states
),

-- The source numbers its changes. A change that was lost can come in a later file. It must not undo the later changes
-- of its policy.
versions as (
    select
        *,
        lead(business_date) over (partition by policy_id order by business_date) as valid_to
    from known
    where coalesce(cdc_seq >= highest_seq_before, true)
)

select
    {{ surrogate_key(['policy_id', 'business_date']) }} as policy_version_id,
    policy_id,
    product,
    region,
    policy_status,
    premium,
    is_erased,
    not is_erased and policy_status = 'active' as is_in_force,
    greatest(business_date, effective_date) as in_force_from,
    effective_date,
    cancelled_date,
    changes_of_the_day,
    cdc_seq,
    business_date as valid_from,
    valid_to,
    business_date,
    {{ as_of() }} as dbt_updated_at
from versions
-- A version that held before, and whose end has not moved, stays as it is.
where not (is_base and known_valid_to is not distinct from valid_to)
