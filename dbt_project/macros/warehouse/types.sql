{# Money is exact: four decimals, because unit prices of less than a cent exist; never a floating-point number. #}
{% macro money() -%} decimal(18, 4) {%- endmacro %}
