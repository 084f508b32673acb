{#
  The first and the last date that tables may contain. DuckDB also accepts years after 9999 and before 1, but most
  programs that read its tables do not, so a single such date would make a table unreadable for them.
#}
{% macro first_date() -%} cast('0001-01-01' as date) {%- endmacro %}

{% macro last_date() -%} cast('9999-12-31' as date) {%- endmacro %}

{#
  True for a date that a delivery can have: from the first plausible date to tomorrow. An older home may hold a file of
  the year 1 or 9999. With this file, a table with one row per day would have millions of rows.
#}
{% macro is_plausible(column) -%}
    {{ column }} between cast('{{ var("first_plausible_date") }}' as date) and {{ days_later(as_of_date(), 1) }}
{%- endmacro %}

{#
  The date that lies `days` days later (or earlier, if negative), within the limits of first_date() and last_date().
  NULL stays NULL.
#}
{% macro days_later(column, days) -%}
    case
        when {{ column }} is not null
            then greatest({{ first_date() }}, least({{ last_date() }}, cast({{ dbt.dateadd('day', days, column) }} as date)))
    end
{%- endmacro %}
