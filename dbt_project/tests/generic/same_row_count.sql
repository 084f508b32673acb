{# The model has as many rows as another relation, so no join has multiplied or dropped rows. #}
{% test same_row_count(model, to) %}

with counts as (
    select
        (select count(*) from {{ model }}) as counted,
        (select count(*) from {{ to }}) as expected
)

select * from counts
where counted <> expected

{% endtest %}
