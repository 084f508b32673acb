{#
  The rows of a delta feed on the dates to rebuild, with only the newest delivery of each key. A later delivery of a
  record replaces the earlier one. If it gives another date, the record leaves its old date.

  The contract decides which delivery is the newest; see newest_first(). If the contract has replaces_by, a file that
  contains an order contains all of its lines. Then only the rows of the newest file with the order count, and lines
  that this file lacks are gone. A line of this file that was quarantined is missing until it is delivered again.

  Landing touches every date on which a delivered key has rows. So on a date that is not rebuilt, no newest row changes.
  Only keys with several deliveries are ranked. Sorting all rows took four times as long as the rest of the query on 5
  million order lines.

  within: an SQL condition that selects the needed rows. It must select all versions of each key. By default these are
  the rows of the dates to rebuild, and the rows of their keys on other dates.
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
            -- All rows of a file get the same rank.
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
  SQL order terms that put the newest of several deliveries of a key first. These are the terms in their order:

  - The columns of the contract's latest_by: a sequence number or a time of change that the source gives.
  - The date of the file. A file that comes late or is corrected does not know what later files say.
  - The part of the day.
  - The order of loading. It never decides between two files of one date and part, because only one of them is valid.
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
