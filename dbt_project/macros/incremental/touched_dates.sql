{#
  Which business dates changed since this model last consumed them, as ISO dates in order.

  Landing writes (feed, business date, load_seq) to ops.touched_dates for every date whose bronze rows changed, also
  where they only vanished. ops.builds holds how far a model has consumed. A model names its feeds in meta.feeds.
  The explicit window rebuild_from … rebuild_to comes on top.

  Read at compile time, outside the model's transaction: sound because one process at a time writes the warehouse and
  does not land while it builds.
#}
{% macro touched_dates() %}
    {#- Configuration is complete only once execution begins. -#}
    {%- if not warehouse_is_open() -%}{{ return([]) }}{%- endif -%}
    {%- set feeds = model.config.meta.get('feeds', []) -%}
    {%- if not feeds -%}
        {{ exceptions.raise_compiler_error(model.name ~ ' is built by touched dates and names no feeds: set meta.feeds') }}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for row in run_query(touched_dates_sql(feeds)).rows -%}
        {%- do dates.append(row[0].isoformat()) -%}
    {%- endfor -%}
    {%- if var('rebuild_from', '') and var('rebuild_to', '') -%}
        {%- set first = modules.datetime.date.fromisoformat(var('rebuild_from') | string) -%}
        {%- set last = modules.datetime.date.fromisoformat(var('rebuild_to') | string) -%}
        {%- for number in range(first.toordinal(), last.toordinal() + 1) -%}
            {%- do dates.append(modules.datetime.date.fromordinal(number).isoformat()) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dates | unique | sort) }}
{% endmacro %}

{#
  The dates that a build replaces: the touched ones, each with the meta.spread_days that follow it, and those that the
  macros named by meta.rebuilt_too give, for what depends on other dates than by their calendar.
#}
{% macro rebuilt_dates() %}
    {%- set dates = widened(touched_dates(), 0, model.config.meta.get('spread_days', 0)) -%}
    {%- set more = model.config.meta.get('rebuilt_too', []) -%}
    {%- if warehouse_is_open() -%}
        {%- for name in ([more] if more is string else more) -%}
            {%- do dates.extend(context[name]()) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dates | unique | sort) }}
{% endmacro %}

{# False where SQL is only compiled, which must work without a warehouse. #}
{% macro warehouse_is_open() %}
    {{ return(execute and flags.WHICH in ('run', 'build', 'test', 'retry', 'show')) }}
{% endmacro %}

{% macro touched_dates_sql(feeds) %}
    select distinct business_date
    from ops.touched_dates
    where
        feed in ('{{ feeds | join("', '") }}')
        and business_date between {{ first_date() }} and {{ last_date() }}
        and load_seq > coalesce((select max(load_seq) from ops.builds where model = '{{ model.name }}'), -1)
{% endmacro %}

{#
  A predicate on a date column: true on a first build or full refresh, else the dates that this build replaces, as
  literals, so that the scan skips what lies outside. lookback_days: with so many days before each of them.
#}
{% macro in_touched_dates(column, lookback_days=0) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {{ date_predicate(column, widened(rebuilt_dates(), lookback_days, 0)) }}
    {%- endif -%}
{%- endmacro %}

{# A predicate for models that replay everything from the earliest touched date on. #}
{% macro since_touched(column) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set dates = touched_dates() -%}
        {%- if dates -%} {{ column }} >= cast('{{ dates[0] }}' as date) {%- else -%} false {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#
  ISO dates → the same with so many days before and after each of them, as far as there are any: an older home may hold
  rows of the first or the last date that there is, and such a row must not end the build of all others.
#}
{% macro widened(dates, before, after) %}
    {%- set found = [] -%}
    {%- set calendar = modules.datetime.date -%}
    {%- for text in dates -%}
        {%- set number = calendar.fromisoformat(text).toordinal() -%}
        {%- set first = [number - before, calendar.min.toordinal()] | max -%}
        {%- set last = [number + after, calendar.max.toordinal()] | min -%}
        {%- for near in range(first, last + 1) -%}
            {%- do found.append(calendar.fromordinal(near).isoformat()) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found | unique | sort) }}
{% endmacro %}

{# ISO dates → a predicate; a run of consecutive dates becomes a range. #}
{% macro date_predicate(column, dates) -%}
    {%- if not dates -%}
        false
    {%- else -%}
        {%- set parse = modules.datetime.date.fromisoformat -%}
        {%- set span = (parse(dates[-1]) - parse(dates[0])).days + 1 -%}
        {%- if dates | length == 1 -%}
            {{ column }} = cast('{{ dates[0] }}' as date)
        {%- elif span == dates | length -%}
            {{ column }} between cast('{{ dates[0] }}' as date) and cast('{{ dates[-1] }}' as date)
        {%- else -%}
            {{ column }} in (
            {%- for text in dates -%} cast('{{ text }}' as date) {{- ', ' if not loop.last -}} {%- endfor -%}
            )
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
