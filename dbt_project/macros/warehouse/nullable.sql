{# Pre-hook of a model of which a column may be NULL since: a table built before then still refuses it. #}
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
