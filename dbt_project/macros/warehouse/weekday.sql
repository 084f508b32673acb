{# The day of the week as a number. Use it only to compare two days, because engines number the days differently. #}
{% macro weekday(column) -%}
    extract(dayofweek from {{ column }})
{%- endmacro %}
