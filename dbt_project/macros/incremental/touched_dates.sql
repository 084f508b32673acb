{#
  The business dates that changed since this model last read them, as ISO dates in order.

  Landing writes (feed, business date, load_seq) to ops.touched_dates for every date whose bronze rows changed, even if
  they were only removed. ops.builds records how far a model has read. A model names its feeds in meta.feeds. The dates
  from rebuild_from to rebuild_to, if they are given, are added.

  The dates are read at compile time, outside the model's transaction. That is safe, because only one process at a time
  writes to the warehouse, and it does not land files while it builds.
#}
{% macro touched_dates() %}
    {#- Configuration is complete only once execution begins. -#}
    {%- if not warehouse_is_open() -%}{{ return([]) }}{%- endif -%}
    {%- set feeds = model.config.meta.get('feeds', []) -%}
    {%- if not feeds -%}
        {{ exceptions.raise_compiler_error(model.name ~ ' is built by touched dates and names no feeds: set meta.feeds') }}
    {%- endif -%}
    {%- set dates = dates_of(touched_dates_sql(feeds)) -%}
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
  The dates that a build replaces: the touched dates, the meta.spread_days dates after each of them, and the dates from
  the macros that meta.rebuilt_too names. Such a macro is needed if a row depends on dates that do not follow from the
  calendar.
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

{# False while SQL is only compiled, because compiling must work without a warehouse. #}
{% macro warehouse_is_open() %}
    {{ return(execute and flags.WHICH in ('run', 'build', 'test', 'retry', 'show')) }}
{% endmacro %}

{% macro touched_dates_sql(feeds) %}
    select distinct business_date
    from ops.touched_dates
    where
        feed in ('{{ feeds | join("', '") }}')
        and business_date between {{ first_date() }} and {{ last_date() }}
        and load_seq > {{ consumed() }}
{% endmacro %}

{# The dates in the first column of a query, as ISO dates. #}
{% macro dates_of(query) %}
    {%- set dates = [] -%}
    {%- for row in run_query(query).rows -%}{%- do dates.append(row[0].isoformat()) -%}{%- endfor -%}
    {{ return(dates) }}
{% endmacro %}

{# How far this model has read its inputs: the load sequence number at its last build, -1 before the first one. #}
{% macro consumed() -%}
    coalesce((select max(load_seq) from ops.builds where model = '{{ model.name }}'), -1)
{%- endmacro %}

{#
  A predicate on a date column. On a first build or a full refresh it is true. Otherwise it selects the dates that this
  build replaces. They are literals, so that the scan skips all other rows.

  lookback_days: this number of days before each date is selected too.
#}
{% macro in_touched_dates(column, lookback_days=0) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {{ date_predicate(column, widened(rebuilt_dates(), lookback_days, 0)) }}
    {%- endif -%}
{%- endmacro %}

{# A predicate for models that compute every date from the earliest touched date on again. #}
{% macro since_touched(column) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set dates = touched_dates() -%}
        {%- if dates -%} {{ column }} >= cast('{{ dates[0] }}' as date) {%- else -%} false {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#
  ISO dates → the same dates with the given numbers of days before and after each of them. All dates stay between the
  first and the last date of the calendar. An older home may hold a row of such a date, which must not make the whole
  build fail.
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
