{#
  Every state that a sliding window passes through: (window_end − minutes, window_end], one row for each moment at which
  something enters or leaves. `steps` has moment and the measures; `measures`: the columns to be summed. Between two such
  moments nothing changes, so no window is missed. Counting entries less exits costs a sort, and no join.
#}
{% macro sliding_windows(steps, minutes, measures) -%}
    select
        moment as window_end
        {%- for measure in measures %},
        sum({{ measure }}) over (order by moment rows unbounded preceding) as {{ measure }}
        {%- endfor %}
    from (
        select
            moment
            {%- for measure in measures %},
            sum({{ measure }}) as {{ measure }}
            {%- endfor %}
        from (
            select moment, {{ measures | join(', ') }}
            from {{ steps }}
            union all
            select moment + interval '{{ minutes }}' minute, -{{ measures | join(', -') }}
            from {{ steps }}
        ) as entries_and_exits
        group by moment
    ) as changes
{%- endmacro %}
