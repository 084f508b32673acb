{#
  Pre-hook for a column that may be NULL now. A table that an earlier version built still refuses NULL in this column.
#}
{% macro drop_not_null(column) %}
    {%- if warehouse_is_open() and is_incremental() -%}
        {%- set found = run_query(
            "select 1 from information_schema.columns where table_schema = '" ~ this.schema ~ "' and table_name = '"
            ~ this.identifier ~ "' and column_name = '" ~ column ~ "' and is_nullable = 'NO'"
        ) -%}
        {%- if found.rows | length > 0 -%}
            alter table {{ this }} alter column {{ column }} drop not null
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
