{# True within the last `days` days of the build's time: later than as_of − days, and not later than as_of. #}
{% macro in_last_days(column, days) -%}
    {{ column }} > {{ dbt.dateadd('day', -days, as_of()) }} and {{ column }} <= {{ as_of() }}
{%- endmacro %}
