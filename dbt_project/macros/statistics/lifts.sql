{#
  CTEs that compute the lift of each row of `rates`. The last one is `lifts`.

  rates: a CTE with rate, audience, control_rate, control_audience, and z, the standardized difference of both rates.
  The result also has lift, lift_low and lift_high (Newcombe's 95 % interval), and q_value, the p-value after the
  correction for all rows of the same `family` (columns; by default all rows are one family). All of them are NULL
  without a control group.
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
