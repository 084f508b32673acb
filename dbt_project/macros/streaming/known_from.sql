{#
  The first day on which a version of a catalogue (songs or users) is known, as SQL over the rows of its dimension. The
  versions of the first extract are also used for all days before it. A song or user that comes later is known from its
  own extract on. An older home may hold an extract of an implausible date, such as the year 1. It does not count as the
  first.
#}
{% macro known_from() -%}
    case
        when
            valid_from <= min(case when {{ is_plausible('valid_from') }} then valid_from end) over ()
            then cast('0001-01-01' as date)
        else valid_from
    end
{%- endmacro %}
