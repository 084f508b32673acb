{#
  Restricts a test to the rows that were written since it last passed. Older rows were tested when they were written,
  and testing one day must not cost as much as testing the whole history. A wrong row fails its test until it is
  corrected, even if later builds write other rows.

  This macro replaces `where: __last_build__` in a test's config. With --vars 'test_scope: all' every row is tested.
  ops.tested holds, for each test, the time up to which it has seen the rows. The caller of dbt updates ops.tested after
  an invocation, for the tests that passed.
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
  A condition that limits each key column to the smallest and the largest value that was written, as literals. Keys rise
  with time, so nearly all of the history is skipped. One day among 4.5 million events takes 7 ms with these limits, and
  350 ms without them.
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
