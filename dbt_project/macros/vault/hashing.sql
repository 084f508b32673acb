{#
  Hash keys and hashdiffs (hashes of a satellite's state).

  The length of each value is written before the value, so that two different rows never give the same text: ('a|', 'b')
  and ('a', '|b') differ, and so do NULL and ''. Nothing is trimmed, and upper and lower case are kept: A1 and a1 are
  two customers.

  On DuckDB the 128 bits of MD5 are stored as a UHUGEINT. It takes 16 bytes in each row instead of 32 for the text, and
  0.44 s instead of 0.61 s for 5 million keys.
#}

{# The hash key of a hub or link. NULL if a column that is not optional is NULL. #}
{% macro hash_key(columns, optional=[]) -%}
    {%- set needed = columns | reject('in', optional) | list -%}
    {%- if columns | length == 1 -%}
        {{ digest('cast(' ~ columns[0] ~ ' as ' ~ dbt.type_string() ~ ')') }}
    {%- else -%}
        case
            when {% for column in needed %}{{ column }} is not null{{ ' and ' if not loop.last }}{% endfor %}
                then {{ digest(joined_text(columns)) }}
        end
    {%- endif -%}
{%- endmacro %}

{# The hash of a satellite's state, with which two states are compared. #}
{% macro hashdiff(columns) -%}
    {{ digest(joined_text(columns)) }}
{%- endmacro %}

{% macro digest(text) -%}
    {{ adapter.dispatch('digest')(text) }}
{%- endmacro %}

{% macro default__digest(text) -%}
    md5({{ text }})
{%- endmacro %}

{% macro duckdb__digest(text) -%}
    md5_number({{ text }})
{%- endmacro %}

{% macro joined_text(columns) -%}
    {{ adapter.dispatch('joined_text')(columns) }}
{%- endmacro %}

{% macro default__joined_text(columns) -%}
    {%- for column in columns -%}
        {%- set value = 'cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')' -%}
        coalesce(cast(length({{ value }}) as {{ dbt.type_string() }}) || ':' || {{ value }}, ':') || '|'
        {{- ' || ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# concat() treats NULL as an empty text, so NULL gives ':|' and '' gives '0:|'. #}
{% macro duckdb__joined_text(columns) -%}
    concat(
    {%- for column in columns -%}
        strlen(cast({{ column }} as varchar)), ':', cast({{ column }} as varchar), '|'{{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{# The key that means "none": the key of a ghost record, and of a reference that is empty. #}
{% macro zero_key() -%}
    {{ adapter.dispatch('zero_key')() }}
{%- endmacro %}

{% macro default__zero_key() -%}
    '00000000000000000000000000000000'
{%- endmacro %}

{% macro duckdb__zero_key() -%}
    cast(0 as uhugeint)
{%- endmacro %}
