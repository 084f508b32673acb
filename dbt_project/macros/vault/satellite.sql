{#
  Satellites keep one row for every key and extract that was received. Rows are only inserted. The views of the states
  decide whether a state differs from the one before. If the satellites decided this while they are loaded, the result
  would depend on the order of arrival.

  A row that was received before is not inserted again. There is one exception: if its batch has been replaced since
  then, the replacing batch brings all of its rows again.
#}

{% macro sat(src_pk, src_hashdiff, src_payload, src_ldts, src_source, source_model, src_extra_columns=[]) -%}
    {{ satellite_rows([src_pk], src_hashdiff, src_payload + src_extra_columns, src_ldts, src_source, source_model) }}
{%- endmacro %}

{# A satellite with several states of a key at the same time, which src_cdk distinguishes. #}
{% macro ma_sat(src_pk, src_cdk, src_hashdiff, src_payload, src_ldts, src_source, source_model, src_extra_columns=[]) -%}
    {{ satellite_rows([src_pk] + src_cdk, src_hashdiff, src_payload + src_extra_columns, src_ldts, src_source, source_model) }}
{%- endmacro %}

{#
  The relationship (src_pk) of a driving key (src_dfk), and the dates that the source gives for it, if any. The
  relationship ends when the driving key has another relationship, or is deleted.
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
-- The ghost record. A key without a state is joined to this record.
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
