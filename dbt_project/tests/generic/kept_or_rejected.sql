{# Every mapped row stands in its canonical table or among the rejects, and in one of them only. #}
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
