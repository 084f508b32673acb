{#
  The rows of a delta feed on the dates to rebuild, the newest per key: a later delivery of a record replaces an earlier
  one. Landing keeps keys unique within a batch, so only dates that several batches brought are ranked: sorting
  everything cost four times the rest of the query on 5 million order lines.

  recency: SQL order terms; what they leave open is settled by the date of the file, load order and line. The file's
  date first, because a file that comes late, or is corrected afterwards, knows nothing of what later files say.

  A contract with replaces_by says that a file which has an order has all of its lines: there only the rows of the
  newest such file count, and lines that it lacks are gone. A line of it that was quarantined is missing until it is
  delivered again, as in a first delivery.
#}
{% macro latest_rows(relation, key, columns, recency=[]) -%}
    {%- set listed = columns | join(', ') -%}
    {%- set by = replaces_by(relation.identifier) %}
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
            {%- if by %}
            -- All rows of a file share this place.
            rank() over (
                partition by business_date, {{ by | join(', ') }}
                order by _file_date desc nulls last, _load_seq desc
            ) as place
            {%- else %}
            row_number() over (
                partition by business_date, {{ key | join(', ') }}
                order by {{ (recency + ['_file_date desc nulls last', '_load_seq desc', '_line desc']) | join(', ') }}
            ) as place
            {%- endif %}
        from {{ relation }}
        left join (select batch_id as _of_batch, business_date as _file_date from ops.batches) as files
            on _batch_id = _of_batch
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
