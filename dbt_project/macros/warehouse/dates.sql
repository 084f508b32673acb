{#
  Dates that stay dates. The engine counts on beyond the year 9999 and before the year 1, where nothing that reads its
  tables can follow: a row dated 9999-12-31 would make the table unreadable.
#}
{% macro first_date() -%} cast('0001-01-01' as date) {%- endmacro %}

{% macro last_date() -%} cast('9999-12-31' as date) {%- endmacro %}

{#
  True for a date that a delivery can have: from the first plausible one to tomorrow. Where a table has one row per day,
  a file of the year 1 or 9999, which an older home may hold, would give it millions.
#}
{% macro is_plausible(column) -%}
    {{ column }} between cast('{{ var("first_plausible_date") }}' as date) and {{ days_later(as_of_date(), 1) }}
{%- endmacro %}

{# A date so many days later (or earlier), at most the last (or the first) one that there is; NULL stays NULL. #}
{% macro days_later(column, days) -%}
    case
        when {{ column }} is not null
            then greatest({{ first_date() }}, least({{ last_date() }}, cast({{ dbt.dateadd('day', days, column) }} as date)))
    end
{%- endmacro %}
