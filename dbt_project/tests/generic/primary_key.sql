{#
  No key is NULL, and no key occurs twice.

  grows: the model only gets new rows. Then only the rows that were written since the test last passed are compared,
  with each other and with older rows. So the cost depends only on their number.

  written_at: the column with the time at which a row was written.
#}
{% test primary_key(model, columns, grows=false, written_at='dbt_updated_at') %}
    {%- set keys = columns | join(', ') -%}
    {%- set written = last_build(model, written_at) if grows else 'true' -%}

with written as (
    select {{ keys }} from {{ model }}
    where {{ written }}
),

incomplete as (
    select {{ keys }}, 'key is null' as problem from written
    where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
),

repeated as (
    select {{ keys }}, 'key occurs more than once' as problem from written
    group by {{ keys }}
    having count(*) > 1
)
{%- if written != 'true' %},

elsewhere as (
    select {% for column in columns %}older.{{ column }}, {% endfor %}'key is in older rows too' as problem
    from {{ model }} as older
    inner join written
        on {% for column in columns %}older.{{ column }} = written.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    where not ({{ written }}) and {{ within_written_keys(model, columns, written) }}
)
{%- endif %}

select * from incomplete
union all
select * from repeated
{%- if written != 'true' %}
union all
select * from elsewhere
{%- endif %}

{% endtest %}
