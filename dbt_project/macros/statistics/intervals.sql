{#
  Confidence intervals of rates. Wilson's score interval is also correct for rates near 0 or 1 in small groups, for
  which the usual textbook interval leaves the range from 0 to 1. Newcombe's interval of a difference is computed from
  two Wilson intervals (Statistics in Medicine 17, 1998, method 10). All are NULL for an empty group.
#}

{#
  A bound of Wilson's interval. rate: a column with successes divided by trials; without trials it is NULL, and so is
  the bound. side: 'low' or 'high'. z: 1.96 for a 95 % interval.
#}
{% macro wilson_bound(rate, trials, side, z=1.959964) -%}
    (
        {{ rate }} * {{ trials }} + {{ z * z / 2 }}
        {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt({{ rate }} * (1 - {{ rate }}) * {{ trials }} + {{ z * z / 4 }})
    ) / ({{ trials }} + {{ z * z }})
{%- endmacro %}

{#
  A bound of Newcombe's interval of the difference rate − control, from columns with both rates and their Wilson bounds.
#}
{% macro newcombe_bound(rate, rate_low, rate_high, control, control_low, control_high, side) -%}
    {%- if side == 'low' -%}
        {{ rate }} - {{ control }} - sqrt(power({{ rate }} - {{ rate_low }}, 2) + power({{ control_high }} - {{ control }}, 2))
    {%- else -%}
        {{ rate }} - {{ control }} + sqrt(power({{ rate_high }} - {{ rate }}, 2) + power({{ control }} - {{ control_low }}, 2))
    {%- endif -%}
{%- endmacro %}

{#
  The number of standard errors that a difference without a real effect may reach by chance, although it is looked at
  again and again: the boundary of a mixture sequential test (Robbins, Annals of Mathematical Statistics 41, 1970). At
  most a share `error_rate` of the experiments without an effect ever crosses it. A fixed limit of 1.96 that is checked
  daily is crossed by a quarter of them within four weeks.

  `events`: the number of observed events, such as purchases; the variance of the compared sums grows in proportion to
  it. The boundary is narrowest at about eight times `tuned_events`. NULL without events.
#}
{% macro always_valid_z(events, tuned_events, error_rate) -%}
    sqrt(
        (1 + {{ tuned_events }} / cast(nullif({{ events }}, 0) as double))
        * (-2 * ln({{ error_rate }}) + ln(1 + ({{ events }}) / cast({{ tuned_events }} as double)))
    )
{%- endmacro %}
