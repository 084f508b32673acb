{#
  The versions of a key do not overlap: at most one is valid on each day, none ends before it begins, and at most one is
  open.
#}
{% test no_overlap(model, key, valid_from='valid_from', valid_to='valid_to') %}

with versions as (
    select
        {{ key }},
        {{ valid_from }},
        {{ valid_to }},
        lead({{ valid_from }}) over (partition by {{ key }} order by {{ valid_from }}) as next_from
    from {{ model }}
)

select * from versions
where
    {{ valid_to }} <= {{ valid_from }}
    or ({{ valid_to }} is null and next_from is not null)
    or {{ valid_to }} > next_from

{% endtest %}
