{# Every mapped row is either in its canonical table or among the rejected rows, and not in both. #}
{% test kept_or_rejected(model, mapped, rejects) %}

with counts as (
    select
        (select count(*) from {{ mapped }}) as mapped_rows,
        (select count(*) from {{ model }}) as kept_rows,
        (select count(distinct entity_key) from {{ rejects }} where entity = '{{ model.identifier }}') as rejected_rows
)

select * from counts
where mapped_rows <> kept_rows + rejected_rows

{% endtest %}
