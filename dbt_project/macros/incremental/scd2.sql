{#
  CTEs of a type 2 dimension from daily extracts (full or delta). The last CTE is `versions`.

  extracts: a CTE or relation with `key`, `columns` and business_date, restricted by since_touched().

  latest_by: the expression that decides which row counts if a key occurs twice on a date. If its values are equal, the
  content decides, and never the order of arrival.

  feed: the feed of the extracts. Its contract is read.

  A version begins on the business date of the first extract that shows it (valid_from). It ends on the date on which
  the next version begins (valid_to, exclusive). The result depends on the set of extracts and not on the order in which
  they came. After a late or replaced extract, the table is taken back to the date of this extract, and all later dates
  are computed again.

  A key that is absent from an extract keeps its last version, because the reason may be a quarantined row or a
  truncated file. The volume check reports those. If the contract of `feed` says absent_keys: end, the version ends on
  the date of the first complete extract that lacks the key. If the key comes back, a new version begins.
#}
{% macro scd2_versions(extracts, key, columns, latest_by, feed) %}
    {%- do require_types_of(source('bronze', feed), columns + [key]) -%}
    {%- set listed = columns | join(', ') -%}
    {%- set absence_ends = absent_keys(feed) == 'end' -%}
    observed as (
        select
            {{ key }},
            {{ listed }},
            business_date,
            {{ latest_by }} as recency,
            {{ fingerprint(columns) }} as state,
            false as is_base,
            cast(null as date) as known_valid_to
        from {{ extracts }}
    ),

    one_a_day as (
        select
            *,
            row_number() over (
                partition by {{ key }}, business_date
                order by recency desc nulls last, state
            ) as place
        from observed
    ),

    states as (
        select {{ key }}, {{ listed }}, business_date, state, is_base, known_valid_to
        from one_a_day
        where place = 1
        {%- if is_incremental() %}
        union all
        -- The version that held on the day before the earliest touched date.
        select
            {{ key }}, {{ listed }}, valid_from, {{ fingerprint(columns) }}, true, valid_to
        from {{ this }}
        where not ({{ since_touched('valid_from') }})
            and (valid_to is null or {{ since_touched('valid_to') }})
        {%- endif %}
    ),

    {%- if absence_ends %}

    whole_extracts as (
        {{- whole_extracts(feed) }}
            and {{ since_touched('business_date') }}
    ),

    -- For each date, the next complete extract. It is looked up once for each date, and not for each row.
    dates as (
        select
            business_date,
            min(case when is_whole then business_date end) over (
                order by business_date
                rows between 1 following and unbounded following
            ) as next_whole
        from (
            select business_date, max(is_whole) as is_whole
            from (
                select distinct business_date, false as is_whole from states
                union all
                select business_date, true from whole_extracts
            ) as known
            group by business_date
        ) as days
    ),

    followed as (
        select
            states.*,
            dates.next_whole,
            lead(states.business_date) over (
                partition by states.{{ key }}
                order by states.business_date
            ) as next_seen
        from states
        inner join dates on states.business_date = dates.business_date
    ),

    -- The first date on which each key was missing. From this date on, the key has no state.
    with_absences as (
        select {{ key }}, {{ listed }}, business_date, state, is_base, known_valid_to
        from states
        union all
        select {{ key }}, {{ listed }}, next_whole, nullif(state, state), false, null
        from followed
        where next_whole < next_seen or (next_whole is not null and next_seen is null)
    ),
    {%- endif %}

    compared as (
        select *, lag(state) over (partition by {{ key }} order by business_date) as previous_state
        from {{ 'with_absences' if absence_ends else 'states' }}
    ),

    changes as (
        select * from compared
        where previous_state is null or state is null or previous_state <> state
    ),

    dated as (
        select
            *,
            business_date as valid_from,
            lead(business_date) over (partition by {{ key }} order by business_date) as valid_to
        from changes
    ),

    versions as (
        select
            {{ surrogate_key([key, 'valid_from']) }} as version_id,
            {{ key }},
            {{ listed }},
            valid_from,
            valid_to,
            valid_to is null as is_current
        from dated
        -- A version that held before, and whose end has not moved, stays as it is.
        where
            state is not null
            and not (is_base and known_valid_to is not distinct from valid_to)
    )
{% endmacro %}

{# A 64-bit digest of a row's content. It is used only for comparisons inside one statement, and never stored. #}
{% macro fingerprint(columns) -%}
    {{ return(adapter.dispatch('fingerprint', 'ops_project')(columns)) }}
{%- endmacro %}

{% macro default__fingerprint(columns) -%}
    {{ surrogate_key(columns) }}
{%- endmacro %}

{% macro duckdb__fingerprint(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{# A stable key from columns: the MD5 of their texts. NULL and the empty text give different keys. #}
{% macro surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), '\\N')") -%}
        {%- if not loop.last -%}{%- do parts.append("'|'") -%}{%- endif -%}
    {%- endfor -%}
    {{ dbt.hash(dbt.concat(parts)) }}
{%- endmacro %}
