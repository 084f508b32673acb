{#
  Every state that a sliding window passes through: (window_end − minutes, window_end], one row for each moment at which
  something enters or leaves. `steps` has moment, events, errors and reference_violations. Between two such moments
  nothing changes, so no window is missed. Counting entries less exits costs a sort, and no join.
#}
{% macro sliding_windows(steps, minutes) -%}
    select
        moment as window_end,
        sum(events) over (order by moment rows unbounded preceding) as events,
        sum(errors) over (order by moment rows unbounded preceding) as errors,
        sum(reference_violations) over (order by moment rows unbounded preceding) as reference_violations
    from (
        select
            moment,
            sum(events) as events,
            sum(errors) as errors,
            sum(reference_violations) as reference_violations
        from (
            select moment, events, errors, reference_violations
            from {{ steps }}
            union all
            select moment + interval '{{ minutes }}' minute, -events, -errors, -reference_violations
            from {{ steps }}
        ) as entries_and_exits
        group by moment
    ) as changes
{%- endmacro %}
