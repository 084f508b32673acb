{#
  The grain: no key is NULL, none occurs twice. On a model that grows, what was written since the test passed last is
  looked at, among itself and against the rest, so that the cost is that of the rows written. written_at: the column that
  says when a row was written.
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
