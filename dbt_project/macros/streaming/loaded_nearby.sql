{#
  The dates whose windows of loading are changed by a new load. The new streams may share a window with errors of other
  dates that were loaded shortly before or after. So the validation of those dates is computed again. The macro reads
  the present loads, so it must run after them.
#}
{% macro dates_loaded_nearby() %}
    {%- set minutes = [var('stream_error_minutes'), var('stream_reference_minutes')] | max -%}
    {%- set query -%}
        with changed as (
            select loaded_at from ops.batches
            where feed = 'streams' and load_seq > {{ consumed() }}
            union
            select replaced.loaded_at
            from ops.batches as replaced
            inner join ops.batches as newer on newer.replaces_batch_id = replaced.batch_id
            where newer.feed = 'streams' and newer.load_seq > {{ consumed() }}
            union
            select loads.loaded_at
            from {{ ref('int_stream_loads') }} as loads
            where {{ date_predicate('loads.business_date', dates_since_catalogue()) }}
        )

        select distinct loads.business_date
        from {{ ref('int_stream_loads') }} as loads
        inner join changed
            on
                loads.loaded_at > changed.loaded_at - interval '{{ minutes }}' minute
                and loads.loaded_at < changed.loaded_at + interval '{{ minutes }}' minute
        where loads.refused + loads.reference_violations > 0
    {%- endset -%}
    {{ return(dates_of(query)) }}
{% endmacro %}
