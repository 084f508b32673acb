{# A condition between columns of one row is true; NULL counts as not held. #}
{% test holds(model, condition) %}

select *
from {{ model }}
where ({{ condition }}) is not true

{% endtest %}
