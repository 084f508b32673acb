{# The sum of a column equals the sum in another table. If not, a join has repeated or lost rows. #}
{% test same_total(model, column, to, field) %}

with here as (
    select coalesce(sum({{ column }}), 0) as total from {{ model }}
),

there as (
    select coalesce(sum({{ field }}), 0) as total from {{ to }}
)

select
    here.total as total_here,
    there.total as total_there
from here
cross join there
where here.total <> there.total

{% endtest %}
