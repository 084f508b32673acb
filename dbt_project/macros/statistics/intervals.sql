{#
  Intervals of rates. Wilson's score interval holds its level where a rate is near 0 or 1 and n is small, where the
  textbook interval leaves [0, 1]; Newcombe's for a difference is made of two of them (Statistics in Medicine 17, 1998,
  method 10). NULL where a group is empty.
#}

{#
  rate: a column with successes divided by trials, which is NULL without trials, and so is the bound. side: 'low' or
  'high'. z: 1.96 for 95 %.
#}
{% macro wilson_bound(rate, trials, side, z=1.959964) -%}
    (
        {{ rate }} * {{ trials }} + {{ z * z / 2 }}
        {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt({{ rate }} * (1 - {{ rate }}) * {{ trials }} + {{ z * z / 4 }})
    ) / ({{ trials }} + {{ z * z }})
{%- endmacro %}

{# A bound of rate minus control_rate, from columns that hold both rates and their Wilson bounds. #}
{% macro newcombe_bound(rate, rate_low, rate_high, control, control_low, control_high, side) -%}
    {%- if side == 'low' -%}
        {{ rate }} - {{ control }} - sqrt(power({{ rate }} - {{ rate_low }}, 2) + power({{ control_high }} - {{ control }}, 2))
    {%- else -%}
        {{ rate }} - {{ control }} + sqrt(power({{ rate_high }} - {{ rate }}, 2) + power({{ control }} - {{ control_low }}, 2))
    {%- endif -%}
{%- endmacro %}

{#
  How many standard errors a difference may lie from zero by chance when it is looked at again and again: the boundary of
  a mixture sequential test (Robbins, Annals of Mathematical Statistics 41, 1970). It is crossed at any time at all in at
  most `error_rate` of the experiments without an effect, where a fixed 1.96 that is renewed daily is crossed in a quarter
  of them within four weeks. `events`: what has been observed so far, such as purchases; the variance of the compared
  sums grows in proportion to it. The boundary is tightest at about eight times `tuned_events`. NULL without events.
#}
{% macro always_valid_z(events, tuned_events, error_rate) -%}
    sqrt(
        (1 + {{ tuned_events }} / cast(nullif({{ events }}, 0) as double))
        * (-2 * ln({{ error_rate }}) + ln(1 + ({{ events }}) / cast({{ tuned_events }} as double)))
    )
{%- endmacro %}
