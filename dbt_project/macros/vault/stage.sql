{#
  The stage of a feed: its bronze rows with the vault's keys, hashes and load columns. It is a view, so a column that no
  hub, link or satellite reads is not computed.

  source_model: {schema: table}.

  derived_columns: {name: expression}.

  hashed_columns: for each name one of these values:

  - [columns]: the columns of a key
  - {columns:, optional:}: the columns of a key, and those of them that may be empty
  - {is_hashdiff: true, columns:}: the columns of a state
#}
{% macro stage(source_model, derived_columns, hashed_columns) -%}
{%- set schema, table = (source_model.items() | list)[0] -%}
with delivered as (
    select
        *,
        {%- for name, expression in derived_columns.items() %}
        {{ expression }} as {{ name }},
        {%- endfor %}
        _load_seq as load_seq
    from {{ source(schema, table) }}
)

select
    *,
    {%- for name, spec in hashed_columns.items() %}
    {% if spec is mapping and spec.get('is_hashdiff') -%}
        {{ hashdiff(spec.columns) }}
    {%- elif spec is mapping -%}
        {{ hash_key(spec.columns, spec.get('optional', [])) }}
    {%- else -%}
        {{ hash_key(spec) }}
    {%- endif %} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from delivered
{%- endmacro %}

{# A condition for the rows that this model has not read yet. It has literals, so that the scan skips all other rows. #}
{% macro unconsumed() -%}
    {%- if not is_incremental() or not execute -%}
        true
    {%- else -%}
        {%- set found = run_query("select coalesce(max(load_seq), -1) from ops.builds where model = '" ~ model.name ~ "'") -%}
        load_seq > {{ found.rows[0][0] }}
    {%- endif -%}
{%- endmacro %}

{# The load numbers of the batches that a later delivery of the same date has replaced. #}
{% macro replaced_batches() -%}
    select load_seq from {{ source('ops', 'batches') }} where status = 'replaced' and load_seq is not null
{%- endmacro %}
