{# The time of a build: the variable as_of (ISO 8601; UTC if it has no offset), or else the start of the invocation. #}
{% macro as_of_datetime() %}
    {%- set text = var('as_of', '') | string -%}
    {%- if not text -%}
        {{ return(run_started_at.astimezone(modules.pytz.utc).replace(tzinfo=none, microsecond=0)) }}
    {%- endif -%}
    {%- set moment = modules.datetime.datetime.fromisoformat(text | replace('Z', '+00:00')) -%}
    {%- if moment.tzinfo is not none -%}
        {%- set moment = moment.astimezone(modules.pytz.utc).replace(tzinfo=none) -%}
    {%- endif -%}
    {{ return(moment) }}
{% endmacro %}

{# The time of the build as a timestamp literal, UTC. #}
{% macro as_of() -%}
    cast('{{ as_of_datetime().isoformat(sep=" ") }}' as {{ dbt.type_timestamp() }})
{%- endmacro %}

{# A date literal: the calendar day of the build in the platform's time zone. #}
{% macro as_of_date() -%}
    {%- set zone = modules.pytz.timezone(var('timezone')) -%}
    cast('{{ modules.pytz.utc.localize(as_of_datetime()).astimezone(zone).date().isoformat() }}' as date)
{%- endmacro %}
