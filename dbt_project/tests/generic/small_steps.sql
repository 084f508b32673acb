{#
  A value changes by at most this share from one row of a key to the next. Only the newest `days` days of each key are
  tested, so that a larger step that was correct does not warn for ever.
#}
{% test small_steps(model, key, value, date_column, max_change, days) %}

with steps as (
    select
        {{ key }},
        {{ date_column }},
        {{ value }},
        lag({{ value }}) over (partition by {{ key }} order by {{ date_column }}) as value_before,
        max({{ date_column }}) over (partition by {{ key }}) as newest_date
    from {{ model }}
)

select * from steps
where
    {{ date_column }} > {{ dbt.dateadd('day', -days, 'newest_date') }}
    and abs({{ value }} - value_before) > {{ max_change }} * value_before

{% endtest %}
