{#
  Confidence intervals of rates. Wilson's score interval is also correct for rates near 0 or 1 in small groups, for
  which the usual textbook interval leaves the range from 0 to 1. Newcombe's interval of a difference is computed from
  two Wilson intervals (Statistics in Medicine 17, 1998, method 10). All are NULL for an empty group.
#}

{#
  A bound of Wilson's interval.

  rate: a column with successes divided by trials. Without trials, the rate and the bound are NULL.

  side: 'low' or 'high'.

  z: 1.96 for a 95 % interval.
#}
{% macro wilson_bound(rate, trials, side, z=1.959964) -%}
    (
        {{ rate }} * {{ trials }} + {{ z * z / 2 }}
        {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt({{ rate }} * (1 - {{ rate }}) * {{ trials }} + {{ z * z / 4 }})
    ) / ({{ trials }} + {{ z * z }})
{%- endmacro %}

{#
  A bound of Newcombe's interval of the difference rate − control. The arguments are columns with both rates and their
  Wilson bounds.
#}
{% macro newcombe_bound(rate, rate_low, rate_high, control, control_low, control_high, side) -%}
    {%- if side == 'low' -%}
        {{ rate }} - {{ control }} - sqrt(power({{ rate }} - {{ rate_low }}, 2) + power({{ control_high }} - {{ control }}, 2))
    {%- else -%}
        {{ rate }} - {{ control }} + sqrt(power({{ rate_high }} - {{ rate }}, 2) + power({{ control }} - {{ control_low }}, 2))
    {%- endif -%}
{%- endmacro %}

{#
  The limit for a difference that is tested again and again, as a number of standard errors. A difference beyond the
  limit is probably no chance.

  The limit is the boundary of a mixture sequential test (Robbins, Annals of Mathematical Statistics 41, 1970). Among
  the experiments without an effect, at most the share `error_rate` ever exceeds it. A fixed limit of 1.96 that is
  checked every day is exceeded by a quarter of these experiments within four weeks.

  events: the number of observed events, such as purchases. The variance of the compared sums grows in proportion to
  this number. NULL without events.

  tuned_events: the limit is lowest at about eight times this number of events.
#}
{% macro always_valid_z(events, tuned_events, error_rate) -%}
    sqrt(
        (1 + {{ tuned_events }} / cast(nullif({{ events }}, 0) as double))
        * (-2 * ln({{ error_rate }}) + ln(1 + ({{ events }}) / cast({{ tuned_events }} as double)))
    )
{%- endmacro %}
