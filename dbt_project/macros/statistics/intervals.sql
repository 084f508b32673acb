{#
  Intervals of rates. Wilson's score interval holds its level where a rate is near 0 or 1 and n is small, where the
  textbook interval leaves [0, 1]; Newcombe's for a difference is made of two of them (Statistics in Medicine 17, 1998,
  method 10). NULL where a group is empty.
#}

{# side: 'low' or 'high'. z: 1.96 for 95 %. #}
{% macro wilson_bound(successes, trials, side, z=1.959964) -%}
    {%- set n = 'cast(nullif(' ~ trials ~ ', 0) as double)' -%}
    {%- set p = '(' ~ successes ~ ' / ' ~ n ~ ')' -%}
    {%- set z2 = z * z -%}
    (
        {{ p }} + {{ z2 }} / (2 * {{ n }})
        {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z2 }} / (4 * {{ n }} * {{ n }}))
    ) / (1 + {{ z2 }} / {{ n }})
{%- endmacro %}

{# A bound of rate minus control_rate, from columns that hold both rates and their Wilson bounds. #}
{% macro newcombe_bound(rate, rate_low, rate_high, control, control_low, control_high, side) -%}
    {%- if side == 'low' -%}
        {{ rate }} - {{ control }} - sqrt(power({{ rate }} - {{ rate_low }}, 2) + power({{ control_high }} - {{ control }}, 2))
    {%- else -%}
        {{ rate }} - {{ control }} + sqrt(power({{ rate_high }} - {{ rate }}, 2) + power({{ control }} - {{ control_low }}, 2))
    {%- endif -%}
{%- endmacro %}
