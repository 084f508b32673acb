{#
  Pre-hook of fact_exchange_rates. A configuration that was written before there were rates has no feed of that name: its
  orders are all in the reporting currency, or else they are said to have no rate.
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
  An amount in the reporting currency, exact to four decimals; NULL where the rate is not known. `rate`: units of the
  reporting currency for one unit of the currency that the amount is in.
#}
{% macro in_reporting_currency(amount, rate='exchange_rate') -%}
    cast({{ amount }} * {{ rate }} as {{ money() }})
{%- endmacro %}

{# How many of the grouped order lines are in a currency without a known rate. Lines without an order have none at all. #}
{% macro unconverted_lines() -%}
    sum(case when currency is not null and exchange_rate is null then 1 else 0 end)
{%- endmacro %}

{# True where no grouped row lacks the value: a sum that leaves one out is not a sum. #}
{% macro all_known(column) -%}
    count({{ column }}) = count(*)
{%- endmacro %}
