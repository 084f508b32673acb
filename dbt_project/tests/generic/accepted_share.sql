{#
  At least this share of the mapped rows passes all mappings. The test belongs to the view of all mapped rows. So a
  broken mapping is found before the canonical table is written, and the table keeps its present rows.
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
