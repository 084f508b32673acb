{# A number lies between min and max. A bound that is left out is not checked, and NULL passes. #}
{% test in_range(model, column_name, min=none, max=none, exclusive=false) %}
    {%- if min is none and max is none -%}
        {{ exceptions.raise_compiler_error('in_range on ' ~ column_name ~ ' has neither min nor max') }}
    {%- endif %}

select {{ column_name }} as out_of_range
from {{ model }}
where
    {{ column_name }} is not null
    and not (
        true
        {%- if min is not none %} and {{ column_name }} {{ '>' if exclusive else '>=' }} {{ min }}{% endif %}
        {%- if max is not none %} and {{ column_name }} {{ '<' if exclusive else '<=' }} {{ max }}{% endif %}
    )

{% endtest %}
