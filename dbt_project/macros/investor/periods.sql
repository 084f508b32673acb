{# Months and quarters of days: all columns of `days`, with period_type, period_start and, if `ends`, period_end. #}
{% macro by_period(days, ends=true) -%}
    {%- for period in ['month', 'quarter'] %}
    select
        *,
        '{{ period }}' as period_type,
        cast(date_trunc('{{ period }}', business_date) as date) as period_start
        {%- if ends %},
        cast(date_trunc('{{ period }}', business_date) + interval '{{ 1 if period == "month" else 3 }}' month as date) - 1
            as period_end
        {%- endif %}
    from {{ days }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#
  Growth compared with the period before. NULL if one of the two periods is not complete, or if they do not follow each
  other directly. Also NULL if the earlier value is not above zero, because a percentage would then have no meaning.
#}
{% macro period_growth(value) -%}
    case
        when
            is_complete
            and lag(is_complete) over (partition by period_type order by period_start)
            and lag(period_end) over (partition by period_type order by period_start) = period_start - 1
            and lag({{ value }}) over (partition by period_type order by period_start) > 0
            then {{ ratio(
                value ~ ' - lag(' ~ value ~ ') over (partition by period_type order by period_start)',
                'lag(' ~ value ~ ') over (partition by period_type order by period_start)'
            ) }}
    end
{%- endmacro %}
