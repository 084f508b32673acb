{# Schemas are exactly bronze, silver and gold: no prefix of a target or a developer. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
