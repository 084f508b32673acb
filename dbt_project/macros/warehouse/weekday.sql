{# The day of the week as a number, only to compare two of them: which day is 1 depends on the engine. #}
{% macro weekday(column) -%}
    extract(dayofweek from {{ column }})
{%- endmacro %}
