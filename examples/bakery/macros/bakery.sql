{% macro bakery_revenue(pieces, price) %}
    cast({{ pieces }} * {{ price }} as decimal(18, 2))
{% endmacro %}
