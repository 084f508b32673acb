{#
  Pre-hook of fact_exchange_rates. A configuration of the time before exchange rates has no feed of that name. Then this
  macro makes an empty table in its place. Orders in the reporting currency need no rate, and all other orders count as
  orders without a rate.
#}
{% macro ensure_exchange_rates() %}
    create table if not exists {{ source('bronze', 'exchange_rates') }} (
        currency {{ dbt.type_string() }},
        rate_date date,
        rate decimal(18, 8),
        published_at {{ dbt.type_timestamp() }},
        business_date date,
        _batch_id {{ dbt.type_string() }},
        _line {{ dbt.type_bigint() }},
        _load_seq {{ dbt.type_bigint() }},
        ingestion_timestamp {{ dbt.type_timestamp() }}
    )
{% endmacro %}

{#
  An amount in the reporting currency, rounded to four decimals; NULL if the rate is not known.

  rate: the number of units of the reporting currency that one unit of the amount's currency is worth.
#}
{% macro in_reporting_currency(amount, rate='exchange_rate') -%}
    cast({{ amount }} * {{ rate }} as {{ money() }})
{%- endmacro %}

{#
  The number of grouped order lines in a currency whose rate is not known. A line whose order is missing has no
  currency, and is not counted.
#}
{% macro unconverted_lines() -%}
    sum(case when currency is not null and exchange_rate is null then 1 else 0 end)
{%- endmacro %}

{# True if no grouped row lacks the value. A sum alone would leave rows without a value out, without a message. #}
{% macro all_known(column) -%}
    count({{ column }}) = count(*)
{%- endmacro %}
