{# The order terms of newest_first(), written with the columns of stg_transactions. #}
{% macro newest_transaction(relation) -%}
    {%- set terms = [] -%}
    {%- for column in latest_by('transactions') + ['known_date', 'known_part', 'load_seq', 'line'] -%}
        {%- do terms.append(relation ~ '.' ~ column ~ ' desc nulls last') -%}
    {%- endfor -%}
    {{ return(terms | join(', ')) }}
{%- endmacro %}
