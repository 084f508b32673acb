{# The day of the week as a number; which day is 1 is the engine's affair, equality is all that is used. #}
{% macro weekday(column) -%}
    extract(dayofweek from {{ column }})
{%- endmacro %}
