{# Within the last `days` days of the clock: after as_of − days, up to and with as_of. #}
{% macro in_last_days(column, days) -%}
    {{ column }} > {{ dbt.dateadd('day', -days, as_of()) }} and {{ column }} <= {{ as_of() }}
{%- endmacro %}
