{#
  Whether a model is built from nothing: as dbt decides it, and where the variable rebuild_tables names the model
  (`ops run --rebuild`), and where its amounts are in another currency than the one that is reported in now. A model that
  says full_refresh: false holds what nobody can compute again, and never is.
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
  Whether a model that depends on exchange rates was built in another reporting currency, or before there was one: what it
  holds and what is built now must not be added up.
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
  What happens where the SQL of an incremental model gives other columns than its table has. The words `has grown` are
  what `ops run` looks for: columns were only added, or numbers have another number of places. It then builds the model
  anew without asking. A model that cannot be built anew gets the added columns, empty for the rows that it has.
#}
{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {%- set changes = check_for_schema_changes(source_relation, target_relation) -%}
    {%- if on_schema_change == 'fail' and changes['schema_changed'] -%}
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
        {%- set table = target_relation.schema ~ '.' ~ target_relation.identifier -%}
        {%- set only_added = added and not removed and not other -%}
        {%- set has_grown = not removed and numbers | length == other | length -%}
        {%- if config.get('full_refresh') is not none and not config.get('full_refresh') -%}
            {%- if not only_added -%}
                {{ exceptions.raise_compiler_error(
                    table ~ ': its SQL gives other columns than the table has (' ~ in_words(added, removed, other)
                    ~ '), and the table cannot be built anew, because it holds what cannot be computed again; '
                    ~ 'change the SQL so that columns are only added'
                ) }}
            {%- endif -%}
            {%- do sync_column_schemas('append_new_columns', target_relation, changes) -%}
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
    {%- elif on_schema_change != 'ignore' and changes['schema_changed'] -%}
        {%- do sync_column_schemas(on_schema_change, target_relation, changes) -%}
    {%- endif -%}
    {{ return(changes['source_columns']) }}
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
