{#
  What the contract of a feed says about rows and keys that vanish; landing writes it to ops.feeds before models are
  built, so that a contract laid over the shipped one holds here too. Read at compile time, like touched_dates.
#}

{# The columns of which one value is delivered whole, [] for most feeds. #}
{% macro replaces_by(feed) %}
    {%- set found = contract_value(feed, 'replaces_by') -%}
    {{ return(found.split(',') if found else []) }}
{% endmacro %}

{# The columns by which the newest delivery of a key is told, the most telling first; [] where the file's date says it. #}
{% macro latest_by(feed) %}
    {%- set found = contract_value(feed, 'latest_by') -%}
    {{ return(found.split(',') if found else []) }}
{% endmacro %}

{# On how many days after its own a row of the feed also counts, where its key has no newer row; 0 for most feeds. #}
{% macro valid_days(feed) %}
    {%- if not warehouse_is_open() -%}{{ return(0) }}{%- endif -%}
    {%- set rows = run_query("select days from ops.valid_days where feed = '" ~ feed ~ "'").rows -%}
    {{ return((rows[0][0] if rows else 0) | int) }}
{% endmacro %}

{# keep or end: what becomes of a key that a full extract lacks. #}
{% macro absent_keys(feed) %}
    {{ return(contract_value(feed, 'absent_keys') or 'keep') }}
{% endmacro %}

{#
  A query for the dates of extracts that may be trusted about what they lack: nothing of them was quarantined and no
  row count was doubted. Whatever became of a finding since does not matter: a build must come out alike at any time.
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
