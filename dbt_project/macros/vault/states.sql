{#
  The states of a satellite. Both views depend only on the set of extracts and not on the order in which they came. Rows
  of replaced batches and the ghost record do not count.
#}

{#
  Consecutive extracts with the same content are one state. It is valid from the first of them (effective_from) until
  the next state (effective_to, exclusive).
#}
{% macro sat_history(satellite, src_pk, src_hashdiff, src_payload, src_ldts, src_source, src_cdk=[]) -%}
{%- set keys = ([src_pk] + src_cdk) | join(', ') -%}
with received as (
    select *
    from {{ ref(satellite) }}
    where {{ src_pk }} <> {{ zero_key() }} and load_seq not in ({{ replaced_batches() }})
),

compared as (
    select
        *,
        lag({{ src_hashdiff }}) over (partition by {{ keys }} order by {{ src_ldts }}, load_seq) as previous_hashdiff
    from received
),

states as (
    select
        *,
        lead({{ src_ldts }}) over (partition by {{ keys }} order by {{ src_ldts }}, load_seq) as next_state_from
    from compared
    where previous_hashdiff is null or previous_hashdiff <> {{ src_hashdiff }}
)

select
    {%- for column in [src_pk] + src_cdk + [src_hashdiff] + src_payload + [src_source] %}
    {{ column }},
    {%- endfor %}
    {{ src_ldts }} as effective_from,
    next_state_from as effective_to,
    next_state_from is null as is_current,
    load_seq
from states
{%- endmacro %}

{# The newest state of each key. A key that was deleted stays, with is_deleted. #}
{% macro sat_current(satellite, src_pk, src_hashdiff, src_payload, src_ldts, src_source, src_cdk=[]) -%}
{%- set keys = ([src_pk] + src_cdk) | join(', ') -%}
with received as (
    select
        *,
        row_number() over (partition by {{ keys }} order by {{ src_ldts }} desc, load_seq desc) as place
    from {{ ref(satellite) }}
    where {{ src_pk }} <> {{ zero_key() }} and load_seq not in ({{ replaced_batches() }})
)

select
    {%- for column in [src_pk] + src_cdk + [src_hashdiff] + src_payload + [src_ldts, src_source] %}
    {{ column }},
    {%- endfor %}
    load_seq
from received
where place = 1
{%- endmacro %}
