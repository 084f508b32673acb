{# The schemas are named bronze, silver and gold, without a prefix for a target or a developer. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
