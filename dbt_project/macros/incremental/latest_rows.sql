{#
  The rows of a delta feed on the dates to rebuild, the newest delivery of each key: a later delivery of a record replaces
  an earlier one, also where it states another date. A record that has moved leaves its old date.

  Which delivery is the newest is the contract's order, see newest_first(). A contract with replaces_by says that a file
  which has an order has all of its lines: there only the rows of the newest such file count, and lines that it lacks are
  gone. A line of it that was quarantined is missing until it is delivered again, as in a first delivery.

  Landing touches every date on which a delivered key stands, so a date that is not rebuilt has no winner to lose. Only
  keys that several deliveries have are ranked: sorting everything cost four times the rest of the query on 5 million
  order lines.

  within: an SQL condition for the rows that are needed, all versions of each of their keys included; by default the rows
  of the dates to rebuild, and what their keys have elsewhere.
#}
{% macro latest_rows(relation, feed, key, columns, within=none) -%}
    {%- set listed = columns | join(', ') -%}
    {%- set by = replaces_by(feed) -%}
    {%- set among = by or key -%}
    {%- set needed = within or in_touched_dates('business_date') %}
    with repeated as (
        select {{ prefixed('versions', among) }}
        from {{ relation }} as versions
        {%- if within or not is_incremental() %}
        where {{ needed }}
        {%- else %}
        inner join (select distinct {{ among | join(', ') }} from {{ relation }} where {{ needed }}) as wanted
            on {{ equal_columns('versions', 'wanted', among) }}
        {%- endif %}
        group by {{ prefixed('versions', among) }}
        having {{ 'min(versions._load_seq) <> max(versions._load_seq)' if by else 'count(*) > 1' }}
    ),

    ranked as (
        select
            {{ prefixed('deliveries', columns) }},
            {%- if by %}
            -- All rows of a file share this place.
            rank() over (
                partition by {{ prefixed('deliveries', among) }}
                order by {{ newest_first(feed, lines=false) }}
            ) as place
            {%- else %}
            row_number() over (
                partition by {{ prefixed('deliveries', among) }}
                order by {{ newest_first(feed) }}
            ) as place
            {%- endif %}
        from {{ relation }} as deliveries
        inner join repeated on {{ equal_columns('deliveries', 'repeated', among) }}
        left join ({{ files_of_batches() }}) as files on deliveries._batch_id = files._of_batch
    )

    select {{ listed }}
    from {{ relation }} as single
    where
        {{ needed }}
        and not exists (select 1 from repeated where {{ equal_columns('repeated', 'single', among) }})
    union all
    select {{ listed }}
    from ranked
    where place = 1{% if not within %} and {{ needed }}{% endif %}
{%- endmacro %}

{#
  SQL order terms: of several deliveries of a key the newest first. The contract's latest_by counts before everything
  else: a sequence number or a time of change that the source gives. What it leaves open is settled by the date of the
  file, because a file that comes late, or is corrected afterwards, knows nothing of what later files say; then by the
  part of the day. The order in which files were loaded comes last: two files of one date and part never stand together.
#}
{% macro newest_first(feed, lines=true) -%}
    {%- set terms = [] -%}
    {%- for column in latest_by(feed) -%}{%- do terms.append(column ~ ' desc nulls last') -%}{%- endfor -%}
    {%- do terms.extend(['_file_date desc nulls last', '_file_part desc nulls last', '_load_seq desc']) -%}
    {%- if lines -%}{%- do terms.append('_line desc') -%}{%- endif -%}
    {{ return(terms | join(', ')) }}
{%- endmacro %}

{% macro files_of_batches() -%}
    select batch_id as _of_batch, business_date as _file_date, part as _file_part from ops.batches
{%- endmacro %}

{% macro prefixed(relation, columns) -%}
    {%- for column in columns -%} {{ relation }}.{{ column }} {{- ', ' if not loop.last -}} {%- endfor -%}
{%- endmacro %}

{% macro equal_columns(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }} {{- ' and ' if not loop.last -}}
    {%- endfor -%}
{%- endmacro %}
