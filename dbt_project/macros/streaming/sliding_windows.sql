{#
  Every state of a sliding window (window_end − minutes, window_end]. There is a row for each moment at which a step
  enters or leaves the window. Nothing changes between two such moments, so no state is missed. Adding what enters and
  subtracting what leaves needs one sort and no join.

  steps: a relation with `moment` and the measures.

  measures: the columns to sum.
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
