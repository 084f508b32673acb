{#
  numerator / denominator, rounded; NULL where there is nothing to divide by. Divided as doubles on every engine, since
  engines disagree about the scale of a decimal quotient.
#}
{% macro ratio(numerator, denominator, decimals=4) -%}
    cast(
        round(cast({{ numerator }} as double) / nullif({{ denominator }}, 0), {{ decimals }})
        as decimal(18, {{ decimals }})
    )
{%- endmacro %}
