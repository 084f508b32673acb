{#
  The rows of a delta feed on the dates to rebuild, the newest per key: a later delivery of a record replaces an earlier
  one. Landing keeps keys unique within a batch, so only dates that several batches brought are ranked: sorting
  everything cost four times the rest of the query on 5 million order lines.

  recency: SQL order terms; what they leave open is settled by load order and line.
#}
{% macro latest_rows(relation, key, columns, recency=[]) -%}
    {%- set listed = columns | join(', ') %}
    select {{ listed }}
    from {{ relation }}
    where
        {{ in_touched_dates('business_date') }}
        and business_date not in ({{ contested_dates(relation) }})
    union all
    select {{ listed }}
    from (
        select
            {{ listed }},
            row_number() over (
                partition by business_date, {{ key | join(', ') }}
                order by {{ (recency + ['_load_seq desc', '_line desc']) | join(', ') }}
            ) as place
        from {{ relation }}
        where
            {{ in_touched_dates('business_date') }}
            and business_date in ({{ contested_dates(relation) }})
    ) as ranked
    where place = 1
{%- endmacro %}

{% macro contested_dates(relation) -%}
    select business_date from {{ relation }}
    where {{ in_touched_dates('business_date') }}
    group by business_date
    having min(_load_seq) <> max(_load_seq)
{%- endmacro %}
