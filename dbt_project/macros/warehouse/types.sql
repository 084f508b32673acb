{#
  The type of amounts of money: exact, never floating point. It has four decimals, because unit prices below one cent
  exist.
#}
{% macro money() -%} decimal(18, 4) {%- endmacro %}
