{# As many rows as another relation: nothing was multiplied by a join, nothing dropped by one. #}
{% test same_row_count(model, to) %}

with counts as (
    select
        (select count(*) from {{ model }}) as counted,
        (select count(*) from {{ to }}) as expected
)

select * from counts
where counted <> expected

{% endtest %}
