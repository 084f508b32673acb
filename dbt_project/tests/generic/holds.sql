{# A condition on the columns of a row is true in every row. NULL counts as false. #}
{% test holds(model, condition) %}

select *
from {{ model }}
where ({{ condition }}) is not true

{% endtest %}
