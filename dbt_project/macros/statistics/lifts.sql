{#
  CTEs that compute the lift of each row of `rates`. The last CTE is `lifts`.

  rates: a CTE with rate, audience, control_rate, control_audience, and z, the standardized difference of both rates.

  family: the columns that define a family of rows. By default all rows are one family.

  The result also has these columns, which are NULL without a control group:

  - lift, lift_low and lift_high: the lift and Newcombe's 95 % interval
  - q_value: the p-value after the correction for all rows of the same family
#}
{% macro lifts_of(rates, family=none) %}
    bounded as (
        select
            *,
            {{ wilson_bound('rate', 'audience', 'low') }} as rate_low,
            {{ wilson_bound('rate', 'audience', 'high') }} as rate_high,
            {{ wilson_bound('control_rate', 'control_audience', 'low') }} as control_low,
            {{ wilson_bound('control_rate', 'control_audience', 'high') }} as control_high
        from {{ rates }}
    ),

    tested as (
        select
            *,
            rate - control_rate as lift,
            {{ newcombe_bound('rate', 'rate_low', 'rate_high', 'control_rate', 'control_low', 'control_high', 'low') }}
                as lift_low,
            {{ newcombe_bound('rate', 'rate_low', 'rate_high', 'control_rate', 'control_low', 'control_high', 'high') }}
                as lift_high,
            {{ normal_two_sided_p('z') }} as p_value
        from bounded
    ),

    counted as (
        select
            *,
            {{ tests_counted('p_value', family) }}
        from tested
    ),

    lifts as (
        select
            *,
            {{ false_discovery_rate('p_value', family) }} as q_value
        from counted
    )
{% endmacro %}
