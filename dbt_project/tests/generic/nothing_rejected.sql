{# No row of this canonical table was kept out. #}
{% test nothing_rejected(model, rejects) %}

select * from {{ rejects }}
where entity = '{{ model.identifier }}'

{% endtest %}
