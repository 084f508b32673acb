{#
  A link: one row per combination of keys that a source named. A row is inserted once and never changed. An empty
  reference becomes the zero key. A row that lacks a mandatory reference has a src_pk of NULL. It names no relationship
  and is left out.

  src_extra_columns: the driving key and other columns that belong to the combination.

  stated_once: true if an extract contains each driving key only once, which a test of the stage ensures. Then a
  combination can repeat only if several extracts are waiting.
#}
{% macro link(src_pk, src_fk, src_ldts, src_source, source_model, src_extra_columns=[], stated_once=false) -%}
with received as (
    select
        {{ src_pk }},
        {%- for column in src_fk %}
        coalesce({{ column }}, {{ zero_key() }}) as {{ column }},
        {%- endfor %}
        {%- for column in src_extra_columns %}
        {{ column }},
        {%- endfor %}
        {{ src_ldts }},
        {{ src_source }},
        load_seq
    from {{ ref(source_model) }}
    where {{ src_pk }} is not null and {{ unconsumed() }}
)
{%- if not stated_once or several_extracts(source_model, src_ldts) %},

combinations as (
    select
        {{ src_pk }},
        {%- for column in src_fk + src_extra_columns %}
        any_value({{ column }}) as {{ column }},
        {%- endfor %}
        min({{ src_ldts }}) as {{ src_ldts }},
        min({{ src_source }}) as {{ src_source }},
        min(load_seq) as load_seq
    from received
    group by {{ src_pk }}
)
{%- else %},

combinations as (
    select * from received
)
{%- endif %}

select * from combinations
{%- if is_incremental() %}
where not exists (select 1 from {{ this }} as known where known.{{ src_pk }} = combinations.{{ src_pk }})
{%- endif %}
{%- endmacro %}

{#
  True if several extracts are waiting, or none. If exactly one is waiting, the rows need not be grouped. For 2 million
  contacts, grouping takes 1.3 s of 7 s.
#}
{% macro several_extracts(source_model, src_ldts) -%}
    {%- if not execute or load_relation(ref(source_model)) is none -%}{{ return(true) }}{%- endif -%}
    {%- set found = run_query(
        "select min(" ~ src_ldts ~ ") < max(" ~ src_ldts ~ ") from " ~ ref(source_model) ~ " where " ~ unconsumed()
    ) -%}
    {{ return(found.rows[0][0] is none or found.rows[0][0]) }}
{%- endmacro %}
