{#
  The parts of a feed's contract about rows and keys that are no longer delivered. Landing writes them to ops.feeds
  before models are built, so contracts in the user's configuration folder count here too. They are read at compile
  time, like touched_dates.
#}

{# The columns of `replaces_by`. A file that has a value in them has all rows with this value. [] for most feeds. #}
{% macro replaces_by(feed) %}
    {%- set found = contract_value(feed, 'replaces_by') -%}
    {{ return(found.split(',') if found else []) }}
{% endmacro %}

{#
  The columns that show which delivery of a key is the newest, the most important first. [] if the file's date decides.
#}
{% macro latest_by(feed) %}
    {%- set found = contract_value(feed, 'latest_by') -%}
    {{ return(found.split(',') if found else []) }}
{% endmacro %}

{#
  The number of days after its own date for which a row of the feed stays valid, unless its key has a newer row. 0 for
  most feeds.
#}
{% macro valid_days(feed) %}
    {%- if not warehouse_is_open() -%}{{ return(0) }}{%- endif -%}
    {%- set rows = run_query("select days from ops.valid_days where feed = '" ~ feed ~ "'").rows -%}
    {{ return((rows[0][0] if rows else 0) | int) }}
{% endmacro %}

{# `keep` or `end`: what happens to a key that a full extract no longer contains. #}
{% macro absent_keys(feed) %}
    {{ return(contract_value(feed, 'absent_keys') or 'keep') }}
{% endmacro %}

{#
  A query for the dates of the complete extracts. An extract is complete if none of its rows was quarantined, and no
  finding ever doubted its number of rows. A finding counts even if it was closed later, because a build must give the
  same result at any time.
#}
{% macro whole_extracts(feed) %}
    select business_date
    from ops.batches
    where
        feed = '{{ feed }}'
        and status = 'loaded'
        and rows_quarantined = 0
        and batch_id not in (
            select batch_id from ops.findings
            where kind = 'source_partial' and batch_id is not null
        )
{% endmacro %}

{% macro contract_value(feed, name) %}
    {%- if not warehouse_is_open() -%}{{ return(none) }}{%- endif -%}
    {%- set rows = run_query("select " ~ name ~ " from ops.feeds where feed = '" ~ feed ~ "'").rows -%}
    {{ return(rows[0][0] if rows else none) }}
{% endmacro %}
