{#
  Tests of hypotheses, and the correction for making many of them at once.
#}

{#
  Probability that a standard normal deviate lies further from 0 than z (two-sided). The complementary error function by
  a rational Chebyshev fit (Numerical Recipes, section 6.2); its relative error is below 2e-7 up to |z| = 12 (measured in
  tests/marketing/test_lift.py). At z = 0 that error would make it more than 1. NULL where z is: least() passes NULL over.
#}
{% macro normal_two_sided_p(z) -%}
    {%- set x = '(abs(' ~ z ~ ') / sqrt(2.0))' -%}
    {%- set t = '(1 / (1 + 0.5 * ' ~ x ~ '))' -%}
    case when {{ z }} is not null then least(1.0, {{ t }} * exp(
        -{{ x }} * {{ x }} - 1.26551223 + {{ t }} * (1.00002368 + {{ t }} * (0.37409196 + {{ t }} * (0.09678418
        + {{ t }} * (-0.18628806 + {{ t }} * (0.27886807 + {{ t }} * (-1.13520398 + {{ t }} * (1.48851587
        + {{ t }} * (-0.82215223 + {{ t }} * 0.17087277))))))))
    )) end
{%- endmacro %}

{#
  z of the difference of two rates under the hypothesis that both are one; NULL where that rate is 0 or 1, or without
  trials. Both sides of the fraction are multiplied by the trials, so that nothing is divided by a group that is empty.
#}
{% macro two_rates_z(successes, trials, control_successes, control_trials) -%}
    {%- set n, m = 'cast(' ~ trials ~ ' as double)', 'cast(' ~ control_trials ~ ' as double)' -%}
    {%- set won = '(' ~ successes ~ ' + ' ~ control_successes ~ ')' -%}
    ({{ successes }} * {{ m }} - {{ control_successes }} * {{ n }}) * sqrt({{ n }} + {{ m }})
    / nullif(sqrt({{ won }} * ({{ n }} + {{ m }} - {{ won }}) * {{ n }} * {{ m }}), 0)
{%- endmacro %}

{#
  Benjamini and Hochberg's adjusted p-value (Journal of the Royal Statistical Society B 57, 1995): of all rows of the
  family that are called at or below q, a share of q is expected to be false discoveries. NULL where p is.
#}
{% macro false_discovery_rate(p, family=none) -%}
    case
        when {{ p }} is not null
            then min({{ p }} * tests / tests_up_to_here) over (
                {{ 'partition by ' ~ family if family else '' }} order by {{ p }} desc
                rows between unbounded preceding and current row
            )
    end
{%- endmacro %}

{# The two counts that false_discovery_rate needs, as columns of the step before. A row whose p is NULL counts nowhere. #}
{% macro tests_counted(p, family=none) -%}
    {%- set partition = 'partition by ' ~ family if family else '' -%}
    count({{ p }}) over ({{ partition }}) as tests,
    count({{ p }}) over (
        {{ partition }} order by {{ p }} range between unbounded preceding and current row
    ) as tests_up_to_here
{%- endmacro %}
