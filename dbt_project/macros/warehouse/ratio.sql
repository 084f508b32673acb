{#
  numerator / denominator, rounded; NULL if the denominator is 0 or NULL. Both are divided as doubles, because engines
  differ in the scale of a decimal quotient.
#}
{% macro ratio(numerator, denominator, decimals=4) -%}
    cast(
        round(cast({{ numerator }} as double) / nullif({{ denominator }}, 0), {{ decimals }})
        as decimal(18, {{ decimals }})
    )
{%- endmacro %}
