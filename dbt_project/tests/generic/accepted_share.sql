{#
  At least this share of the mapped rows fulfils its mappings. Stands on the view of all mapped rows, so that a broken
  mapping is found before the canonical table is written, and what stands there stays.
#}
{% test accepted_share(model, min) %}

with counts as (
    select
        count(*) as mapped_rows,
        count(*) filter (where failed_mappings = '') as accepted_rows
    from {{ model }}
)

select * from counts
where accepted_rows < {{ min }} * mapped_rows

{% endtest %}
