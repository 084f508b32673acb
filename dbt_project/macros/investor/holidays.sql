{#
  True on days on which demand in the United States usually differs from its normal level: federal holidays, the days
  from Thanksgiving to the Monday after it, and the end of the year. A spike on such a day is expected and is not an
  anomaly.
#}
{% macro is_us_holiday(day) -%}
    (
        (extract(month from {{ day }}) = 1 and extract(day from {{ day }}) = 1)
        or (extract(month from {{ day }}) = 6 and extract(day from {{ day }}) = 19)
        or (extract(month from {{ day }}) = 7 and extract(day from {{ day }}) = 4)
        or (extract(month from {{ day }}) = 11 and extract(day from {{ day }}) = 11)
        or (extract(month from {{ day }}) = 12 and extract(day from {{ day }}) >= 24)
        or (
            extract(isodow from {{ day }}) = 1
            and (
                (extract(month from {{ day }}) in (1, 2) and extract(day from {{ day }}) between 15 and 21)
                or (extract(month from {{ day }}) = 5 and extract(day from {{ day }}) >= 25)
                or (extract(month from {{ day }}) = 9 and extract(day from {{ day }}) <= 7)
                or (extract(month from {{ day }}) = 10 and extract(day from {{ day }}) between 8 and 14)
            )
        )
        -- Thanksgiving is the fourth Thursday of November; its holidays last until the Monday after it.
        or (
            extract(month from {{ day }} - cast((extract(isodow from {{ day }}) + 3) % 7 as integer)) = 11
            and extract(day from {{ day }} - cast((extract(isodow from {{ day }}) + 3) % 7 as integer)) between 22 and 28
            and extract(isodow from {{ day }}) in (4, 5, 6, 7, 1)
        )
    )
{%- endmacro %}
