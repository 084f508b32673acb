{# (table_schema, table_name) of every base table in these schemas, without the temporary tables of a killed build. #}
{% macro warehouse_tables(schemas) -%}
    {{ return(adapter.dispatch('warehouse_tables', 'ops_project')(schemas)) }}
{%- endmacro %}

{% macro default__warehouse_tables(schemas) -%}
    select table_schema, table_name
    from {{ listed_tables() }} as listed
    where
        table_schema in ('{{ schemas | join("', '") }}')
        and table_type = 'BASE TABLE'
        and table_name not like '%\_\_dbt\_%' escape '\'
{%- endmacro %}

{# The tables that the database lists. It is a separate macro, so that a unit test can replace it. #}
{% macro listed_tables() -%}
    information_schema.tables
{%- endmacro %}

{# DuckDB lists the tables of every attached database. #}
{% macro duckdb__warehouse_tables(schemas) -%}
    {{ default__warehouse_tables(schemas) }}
        and table_catalog = current_database()
{%- endmacro %}

{# Rows (table_schema, table_name, domain) for all models of the project, as `union all` parts. Their meta is read. #}
{% macro domains_of_models() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='unique_id') -%}
            {%- if node.config.meta.domain %}
    union all
    select '{{ node.schema }}', '{{ node.alias or node.name }}', '{{ node.config.meta.domain }}'
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
