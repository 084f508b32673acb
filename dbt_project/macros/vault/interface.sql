{#
  The parts of the mappings of the interface layer. A mapping fails if a value cannot be cast (it becomes NULL), or if a
  mandatory field is empty. Then the canonical table does not get the row, and interface_rejects has one row for each
  mapping that failed.
#}

{% macro cast_or_null(expression, type) -%}
    {{ adapter.dispatch('cast_or_null')(expression, type) }}
{%- endmacro %}

{% macro default__cast_or_null(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{#
  The failed mappings as `target_column:reason`, joined by commas; '' if none failed.

  mandatory: target columns.

  cast: {target column: the expression before the cast}.
#}
{% macro failed_mappings(mandatory, cast={}) -%}
    {%- set failures = [] -%}
    {%- for column, expression in cast.items() -%}
        {%- do failures.append("case when " ~ expression ~ " is not null and " ~ column ~ " is null then '" ~ column ~ ":not_castable,' else '' end") -%}
    {%- endfor -%}
    {%- for column in mandatory -%}
        {%- set excused = ' and ' ~ cast[column] ~ ' is null' if column in cast else '' -%}
        {%- do failures.append("case when " ~ column ~ " is null" ~ excused ~ " then '" ~ column ~ ":mandatory_is_empty,' else '' end") -%}
    {%- endfor -%}
    {{ failures | join('\n        || ') if failures else "''" }}
{%- endmacro %}

{#
  One row for each failed mapping of each row that does not get into its canonical table.

  entities: {canonical table: {mapped: its view of all rows, key: [its key]}}.
#}
{% macro interface_rejects(entities) -%}
with failures as (
    {%- for entity, spec in entities.items() %}
    select
        '{{ entity }}' as entity,
        {{ joined_key(spec['key']) }} as entity_key,
        {{ unnest_text("rtrim(failed_mappings, ',')") }} as failure,
        extracted_at,
        load_seq
    from {{ ref(spec['mapped']) }}
    where failed_mappings <> ''
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    entity,
    entity_key,
    entity || '.' || {{ dbt.split_part('failure', "':'", 1) }} as mapping,
    {{ dbt.split_part('failure', "':'", 2) }} as reason,
    extracted_at,
    load_seq
from failures
{%- endmacro %}

{% macro joined_key(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as {{ dbt.type_string() }}), '?'){{ " || '/' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro unnest_text(expression) -%}
    {{ adapter.dispatch('unnest_text')(expression) }}
{%- endmacro %}

{% macro default__unnest_text(expression) -%}
    explode(split({{ expression }}, ','))
{%- endmacro %}

{% macro duckdb__unnest_text(expression) -%}
    unnest(string_split({{ expression }}, ','))
{%- endmacro %}
