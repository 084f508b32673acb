{#
  Satellites keep every (key, extract as-of) that was received and are only ever inserted into. Whether a state differs
  from the one before is decided by the views: suppression on load would depend on the order of arrival.

  What was received before is not received again, except from a batch that has been replaced since: the replacing batch
  states its rows anew.
#}

{% macro sat(src_pk, src_hashdiff, src_payload, src_ldts, src_source, source_model, src_extra_columns=[]) -%}
    {{ satellite_rows([src_pk], src_hashdiff, src_payload + src_extra_columns, src_ldts, src_source, source_model) }}
{%- endmacro %}

{# Several states of a key at a time, told apart by src_cdk. #}
{% macro ma_sat(src_pk, src_cdk, src_hashdiff, src_payload, src_ldts, src_source, source_model, src_extra_columns=[]) -%}
    {{ satellite_rows([src_pk] + src_cdk, src_hashdiff, src_payload + src_extra_columns, src_ldts, src_source, source_model) }}
{%- endmacro %}

{#
  Which relationship (src_pk) a driving key (src_dfk) has, and the dates that the source gives for it, if any. What a
  driving key is related to ends where it is related to something else, or deleted.
#}
{% macro eff_sat(
    src_pk, src_dfk, src_sfk, src_hashdiff, src_ldts, src_source, source_model,
    src_start_date=none, src_end_date=none, src_extra_columns=[]
) -%}
    {{ satellite_rows(
        [src_dfk],
        src_hashdiff,
        [src_pk] + src_sfk + ([src_start_date, src_end_date] | reject('none') | list) + src_extra_columns,
        src_ldts, src_source, source_model
    ) }}
{%- endmacro %}

{% macro satellite_rows(keys, src_hashdiff, columns, src_ldts, src_source, source_model) -%}
with received as (
    select
        {%- for column in keys + [src_hashdiff] + columns + [src_ldts, src_source] %}
        {{ column }},
        {%- endfor %}
        load_seq
    from {{ ref(source_model) }}
    where {{ keys[0] }} is not null and {{ unconsumed() }}
)
{%- if is_incremental() %},

stored as (
    select {{ (keys + [src_hashdiff, src_ldts]) | join(', ') }}
    from {{ this }}
    where
        {{ src_ldts }} in (select {{ src_ldts }} from received)
        and load_seq not in ({{ replaced_batches() }})
)

select * from received
where not exists (
    select 1 from stored
    where
        {%- for column in keys + [src_ldts, src_hashdiff] %}
        stored.{{ column }} = received.{{ column }}{{ ' and' if not loop.last }}
        {%- endfor %}
)
{%- else %}

select * from received
union all
-- The ghost record: a key without a state joins to it.
select
    {{ zero_key() }},
    {%- for column in keys[1:] %}
    null,
    {%- endfor %}
    {{ zero_key() }},
    {%- for column in columns %}
    null,
    {%- endfor %}
    cast('1900-01-01 00:00:00' as {{ dbt.type_timestamp() }}),
    'ghost',
    0
{%- endif %}
{%- endmacro %}
