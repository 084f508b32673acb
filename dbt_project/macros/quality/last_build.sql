{#
  A test looks at the rows that were written since it passed last: older rows were tested when they were written, and a
  test of a day must not cost a history. What is wrong stays wrong until it is mended: a build that writes other rows
  does not make it right. `where: __last_build__` in a test's config is replaced here; with --vars 'test_scope: all' it
  holds for every row. ops.tested holds how far each test has seen the rows; the caller of dbt moves it after an
  invocation, for the tests that passed.
#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set where = where | replace('__last_build__', last_build(relation)) -%}
    {%- set subquery -%}
        (select * from {{ relation }} where {{ where }}) as tested
    {%- endset -%}
    {{ return(subquery) }}
{%- endmacro %}

{% macro last_build(relation, column='dbt_updated_at') -%}
    {%- if not warehouse_is_open() or var('test_scope') == 'all' -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set found = run_query("select max(tested_at) from ops.tested where test = '" ~ model.name ~ "'").rows -%}
    {%- if not found or found[0][0] is none -%}
        {{ return('true') }}
    {%- endif -%}
    {{ return(column ~ " > cast('" ~ found[0][0] ~ "' as " ~ dbt.type_timestamp() ~ ")") }}
{%- endmacro %}

{#
  The span of the keys written, as literals: keys rise with time, so the scan of the history skips nearly all of it. A
  day on 4.5 million events: 7 ms with, 350 ms without.
#}
{% macro within_written_keys(model, columns, written) -%}
    {%- set ends = [] -%}
    {%- for column in columns -%}
        {%- do ends.append('min(' ~ column ~ ')') -%}{%- do ends.append('max(' ~ column ~ ')') -%}
    {%- endfor -%}
    {%- set found = run_query('select ' ~ ends | join(', ') ~ ' from ' ~ model ~ ' where ' ~ written).rows[0] -%}
    {%- if found[0] is none -%}
        false
    {%- else -%}
        {%- for column in columns -%}
            older.{{ column }} between '{{ found[2 * loop.index0] | string | replace("'", "''") }}'
            and '{{ found[2 * loop.index0 + 1] | string | replace("'", "''") }}'
            {{- ' and ' if not loop.last -}}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
