{#
  A hub: one row per business key that any source named. A row is inserted once and never changed. load_datetime and
  record_source are those of the extract that named the key first.

  source_model: a stage, a list of stages, or {stage: [columns]} if the key has another name there.

  Duplicate keys are removed before the keys are hashed, because 20 million contacts name only a million customers.
#}
{% macro hub(src_pk, src_nk, src_ldts, src_source, source_model) -%}
{%- set sources = [] -%}
{%- for name in ([source_model] if source_model is string else source_model) -%}
    {%- for column in (source_model[name] if source_model is mapping else [src_nk]) -%}
        {%- do sources.append((name, column)) -%}
    {%- endfor -%}
{%- endfor -%}
with received as (
    {%- for name, column in sources %}
    select
        {{ column }} as {{ src_nk }},
        min({{ src_ldts }}) as {{ src_ldts }},
        min({{ src_source }}) as {{ src_source }},
        min(load_seq) as load_seq
    from {{ ref(name) }}
    where {{ column }} is not null and {{ unconsumed() }}
    group by {{ column }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

ranked as (
    select
        *,
        row_number() over (partition by {{ src_nk }} order by {{ src_ldts }}, {{ src_source }}) as place
    from received
)

select
    {{ hash_key([src_nk]) }} as {{ src_pk }},
    {{ src_nk }},
    {{ src_ldts }},
    {{ src_source }},
    load_seq
from ranked
where
    place = 1
    {%- if is_incremental() %}
    and not exists (select 1 from {{ this }} as known where known.{{ src_nk }} = ranked.{{ src_nk }})
    {%- endif %}
{%- endmacro %}


{#
  The keys of a hub that an extract still names. A hub keeps every key, even a key that was named only by a batch that a
  corrected delivery has replaced. Only keys that a replaced batch named first need to be looked up.

  The column named_in is given for keys without a record in `described_by`. It is the load_seq of the first batch that
  names the key and is not replaced. The hub's own load_seq cannot be used for these keys, because it depends on the
  batches that existed when the hub inserted the key.
#}
{% macro standing_keys(hub, src_pk, src_nk, described_by, source_model) -%}
    select
        known.{{ src_pk }},
        known.{{ src_nk }},
        named.load_seq as named_in
    from {{ ref(hub) }} as known
    left join (
        select
            {{ src_nk }},
            min(load_seq) as load_seq
        from (
            {%- for name, columns in source_model.items() %}
            {%- set outer = loop %}
            {%- for column in columns %}
            select naming.{{ column }} as {{ src_nk }}, naming.load_seq from {{ ref(name) }} as naming
            where
                naming.{{ column }} in (
                    select undescribed.{{ src_nk }} from {{ ref(hub) }} as undescribed
                    where undescribed.{{ src_pk }} not in (select described.{{ src_pk }} from {{ ref(described_by) }} as described)
                )
            {%- if not (outer.last and loop.last) %}
            union all
            {%- endif %}
            {%- endfor %}
            {%- endfor %}
        ) as by_feed
        group by {{ src_nk }}
    ) as named on known.{{ src_nk }} = named.{{ src_nk }}
    where
        known.load_seq not in ({{ replaced_batches() }})
        or known.{{ src_nk }} in (
            {%- for name, columns in source_model.items() %}
            {%- set outer = loop %}
            {%- for column in columns %}
            select stated.{{ column }} from {{ ref(name) }} as stated
            where
                stated.{{ column }} in (
                    select learnt.{{ src_nk }} from {{ ref(hub) }} as learnt
                    where learnt.load_seq in ({{ replaced_batches() }})
                )
            {%- if not (outer.last and loop.last) %}
            union all
            {%- endif %}
            {%- endfor %}
            {%- endfor %}
        )
{%- endmacro %}
