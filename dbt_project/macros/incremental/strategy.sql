{#
  incremental_strategy='touched_dates': deletes the rows of all rebuilt dates, even if no new row replaces them, and
  inserts the new rows. Both happen in the transaction in which the post-hook records the build, so a build that was
  killed is simply run again. meta.date_column names the date column (default: business_date).
#}
{% macro get_incremental_touched_dates_sql(arg_dict) %}
    {%- set column = model.config.meta.get('date_column', 'business_date') -%}
    delete from {{ arg_dict['target_relation'] }} where {{ date_predicate(column, rebuilt_dates()) }};
    {{ insert_all(arg_dict) }}
{% endmacro %}

{#
  incremental_strategy='rewind': for tables with a history of each key (SCD 2). Removes the versions that began on or
  after the earliest touched date, and replaces the versions that the model returns. unique_key is the surrogate key.
#}
{% macro get_incremental_rewind_sql(arg_dict) %}
    {%- set key = arg_dict['unique_key'] -%}
    delete from {{ arg_dict['target_relation'] }}
    where {{ since_touched('valid_from') }} or {{ key }} in (select {{ key }} from {{ arg_dict['temp_relation'] }});
    {{ insert_all(arg_dict) }}
{% endmacro %}

{% macro insert_all(arg_dict) %}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}
