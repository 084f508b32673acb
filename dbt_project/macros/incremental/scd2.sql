{#
  CTEs of a type 2 dimension, from daily extracts (full or delta); the last one is `versions`.

  extracts: a CTE or relation with `key`, `columns` and business_date, cut by since_touched().
  latest_by: which row counts where a key occurs twice on a date; ties are broken by content, never by arrival.

  A version begins on the business date of the first extract that shows it (valid_from) and ends where the next one
  begins (valid_to, exclusive). The result depends on the set of extracts, not on the order in which they came: a late
  or replaced extract rewinds the table to its date and replays what follows. A key that is absent from an extract keeps
  its last version: a quarantined row and a truncated file look the same as a deletion, and the volume check speaks for
  those.
#}
{% macro scd2_versions(extracts, key, columns, latest_by) %}
    {%- set listed = columns | join(', ') -%}
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
        -- The version that was open on the day before the earliest touched date.
        select
            {{ key }}, {{ listed }}, valid_from, {{ fingerprint(columns) }}, true, valid_to
        from {{ this }}
        where not ({{ since_touched('valid_from') }})
            and (valid_to is null or {{ since_touched('valid_to') }})
        {%- endif %}
    ),

    compared as (
        select *, lag(state) over (partition by {{ key }} order by business_date) as previous_state
        from states
    ),

    changes as (
        select * from compared
        where previous_state is null or previous_state <> state
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
        -- A version that was open before and still ends where it ended stays as it is.
        where not (is_base and known_valid_to is not distinct from valid_to)
    )
{% endmacro %}

{# A 64-bit digest of a row's content, for comparison inside one statement; never stored. #}
{% macro fingerprint(columns) -%}
    {{ return(adapter.dispatch('fingerprint', 'ops_project')(columns)) }}
{%- endmacro %}

{% macro default__fingerprint(columns) -%}
    {{ surrogate_key(columns) }}
{%- endmacro %}

{% macro duckdb__fingerprint(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{# A stable key from columns: md5 of their texts, NULL told apart from the empty text. #}
{% macro surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), '\\N')") -%}
        {%- if not loop.last -%}{%- do parts.append("'|'") -%}{%- endif -%}
    {%- endfor -%}
    {{ dbt.hash(dbt.concat(parts)) }}
{%- endmacro %}
