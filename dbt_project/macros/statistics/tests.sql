{#
  Tests of hypotheses, and the correction for making many of them at once.
#}

{#
  The two-sided p-value of z: the probability that a standard normal variable is further from 0 than z. NULL if z is
  NULL; the CASE is needed because least() ignores NULL.

  The complementary error function is computed with a rational Chebyshev fit (Numerical Recipes, section 6.2). Its
  relative error is below 2e-7 up to |z| = 12 (measured in tests/marketing/test_lift.py). Near z = 0 this error could
  give more than 1, so the result is limited to 1.
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
  z of the difference of two rates, under the hypothesis that both rates are equal. NULL without trials, or if the
  common rate is 0 or 1. Numerator and denominator are multiplied by the trials, so that nothing is divided by the size
  of an empty group.
#}
{% macro two_rates_z(successes, trials, control_successes, control_trials) -%}
    {%- set n, m = 'cast(' ~ trials ~ ' as double)', 'cast(' ~ control_trials ~ ' as double)' -%}
    {%- set won = '(' ~ successes ~ ' + ' ~ control_successes ~ ')' -%}
    ({{ successes }} * {{ m }} - {{ control_successes }} * {{ n }}) * sqrt({{ n }} + {{ m }})
    / nullif(sqrt({{ won }} * ({{ n }} + {{ m }} - {{ won }}) * {{ n }} * {{ m }}), 0)
{%- endmacro %}

{#
  The adjusted p-value of Benjamini and Hochberg (Journal of the Royal Statistical Society B 57, 1995). If all rows of a
  family with an adjusted value up to q are called discoveries, at most the share q of them is expected to be false.
  NULL if p is NULL.
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

{#
  The two counts that false_discovery_rate needs, as columns of the step before it. A row whose p is NULL is not
  counted.
#}
{% macro tests_counted(p, family=none) -%}
    {%- set partition = 'partition by ' ~ family if family else '' -%}
    count({{ p }}) over ({{ partition }}) as tests,
    count({{ p }}) over (
        {{ partition }} order by {{ p }} range between unbounded preceding and current row
    ) as tests_up_to_here
{%- endmacro %}
