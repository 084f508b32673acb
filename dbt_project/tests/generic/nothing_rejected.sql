{# The canonical table has all rows: no mapping of a row failed. #}
{% test nothing_rejected(model, rejects) %}

select * from {{ rejects }}
where entity = '{{ model.identifier }}'

{% endtest %}
