{#
  Whether a model is built from nothing. That is so in these cases:

  - dbt decides it.
  - The variable rebuild_tables names the model (`ops run --rebuild`).
  - The model's amounts are in another currency than the present reporting currency.

  A model with full_refresh: false is never built from nothing, because it holds rows that cannot be computed again.
#}
{% macro should_full_refresh() %}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is not none -%}{{ return(configured) }}{%- endif -%}
    {{ return(
        flags.FULL_REFRESH
        or (model is defined and (model.name in var('rebuild_tables', []) or is_in_another_currency()))
    ) }}
{% endmacro %}

{#
  Whether the table of a model that depends on exchange rates has amounts in another reporting currency, or was built
  before a reporting currency was configured. Such amounts and new amounts could not be added up.
#}
{% macro is_in_another_currency() %}
    {%- if not warehouse_is_open() or 'exchange_rates' not in model.config.get('meta', {}).get('feeds', []) -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set found = run_query(
        "select 1 from ops.build_currencies where model = '" ~ model.name ~ "' and reporting_currency = '"
        ~ var('reporting_currency') ~ "'"
    ) -%}
    {{ return(found.rows | length == 0) }}
{% endmacro %}

{#
  What happens if the SQL of an incremental model gives other columns than its table has.

  If columns were only added, or numbers have another number of digits, the error contains the words `has grown`. The
  command `ops run` recognises these words and builds the model from nothing without asking.

  A model that cannot be built from nothing gets the added columns. They are NULL in its present rows.
#}
{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {%- set changes = check_for_schema_changes(source_relation, target_relation) -%}
    {%- if on_schema_change == 'fail' and changes['schema_changed'] -%}
        {%- if not refused(target_relation, changes) -%}
            {%- do sync_column_schemas('append_new_columns', target_relation, changes) -%}
        {%- endif -%}
    {%- elif on_schema_change != 'ignore' and changes['schema_changed'] -%}
        {%- do sync_column_schemas(on_schema_change, target_relation, changes) -%}
    {%- endif -%}
    {{ return(changes['source_columns']) }}
{% endmacro %}

{#
  The same check for a rewind model, before its SQL runs. The SQL is a union of the model's own table and new rows. Such
  a union has the wider of both types, so dbt's own comparison finds no difference. Types that cannot be combined would
  end the build with an error that names no remedy.

  relation: the relation with the new rows. Its `columns` are inserted as they are, and its business_date becomes
  valid_from and valid_to.
#}
{% macro require_types_of(relation, columns) %}
    {%- if is_incremental() and warehouse_is_open() and model.resource_type == 'model' -%}
        {%- set types, other = {}, [] -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- set stands_as = [column.name] if column.name in columns else [] -%}
            {%- for name in stands_as + (['valid_from', 'valid_to'] if column.name == 'business_date' else []) -%}
                {%- do types.update({name: column.data_type}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set held = adapter.get_columns_in_relation(this) -%}
        {%- for column in held if types.get(column.name, column.data_type) != column.data_type -%}
            {%- do other.append({'column_name': column.name, 'new_type': types[column.name]}) -%}
        {%- endfor -%}
        {%- if other -%}
            {%- do refused(this, {
                'source_not_in_target': [], 'target_not_in_source': [], 'new_target_types': other, 'target_columns': held
            }) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# Raises an error that says what to do about the changes. Returns false if the new columns can simply be added. #}
{% macro refused(table_relation, changes) %}
    {%- set added = changes['source_not_in_target'] | map(attribute='name') | list -%}
    {%- set removed = changes['target_not_in_source'] | map(attribute='name') | list -%}
    {%- set other, numbers = [], [] -%}
    {%- for item in changes['new_target_types'] -%}
        {%- do other.append(item['column_name'] ~ ' (' ~ item['new_type'] ~ ')') -%}
        {%- set old = changes['target_columns'] | selectattr('name', 'equalto', item['column_name']) | first -%}
        {%- if is_number_type(item['new_type']) and old and is_number_type(old.data_type) -%}
            {%- do numbers.append(item['column_name']) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set table = table_relation.schema ~ '.' ~ table_relation.identifier -%}
    {%- set only_added = added and not removed and not other -%}
    {%- set has_grown = not removed and numbers | length == other | length -%}
    {%- if config.get('full_refresh') is not none and not config.get('full_refresh') -%}
        {%- if only_added -%}{{ return(false) }}{%- endif -%}
        {{ exceptions.raise_compiler_error(
            table ~ ': its SQL gives other columns than the table has (' ~ in_words(added, removed, other)
            ~ '), and the table cannot be built anew, because it holds what cannot be computed again; '
            ~ 'change the SQL so that columns are only added'
        ) }}
    {%- elif has_grown -%}
        {{ exceptions.raise_compiler_error(
            table ~ ' has grown (' ~ in_words(added, removed, other) ~ '): it has to be built anew, '
            ~ '`ops run --rebuild ' ~ table ~ '`'
        ) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            table ~ ': its SQL gives other columns than the table has (' ~ in_words(added, removed, other)
            ~ '); `ops run --rebuild ' ~ table ~ '` builds it and everything that depends on it anew'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro is_number_type(type) %}
    {%- set names = ['DECIMAL', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'FLOAT', 'DOUBLE'] -%}
    {{ return((type | string | upper).split('(')[0] in names) }}
{% endmacro %}

{% macro in_words(added, removed, other) %}
    {%- set parts = [] -%}
    {%- if added -%}{%- do parts.append('added ' ~ added | join(', ')) -%}{%- endif -%}
    {%- if removed -%}{%- do parts.append('gone ' ~ removed | join(', ')) -%}{%- endif -%}
    {%- if other -%}{%- do parts.append('another type ' ~ other | join(', ')) -%}{%- endif -%}
    {{ return(parts | join('; ')) }}
{% endmacro %}
