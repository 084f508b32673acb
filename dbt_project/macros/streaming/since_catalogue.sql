{#
  Dates of streams that a catalogue of songs or users changes: its own date and all that follow, because a version holds
  until another extract says something else. The first extract holds for everything before it, so that a change of the
  first one reaches all dates. On an ordinary day that is the newest date alone. Tables stand by name: a ref() in a macro
  that only runs on an incremental build is unknown to dbt when it parses.
#}
{% macro dates_since_catalogue() %}
    {%- set consumed -%}
        coalesce((select max(load_seq) from ops.builds where model = '{{ model.name }}'), -1)
    {%- endset -%}
    {%- set query -%}
        with changed as (
            select feed, min(business_date) as first_date
            from ops.touched_dates
            where feed in ('songs', 'users') and load_seq > {{ consumed }}
            group by feed
        ),

        begun as (
            select 'songs' as feed, min(valid_from) as first_date from silver.dim_songs where {{ is_plausible('valid_from') }}
            union all
            select 'users' as feed, min(valid_from) as first_date from silver.dim_users where {{ is_plausible('valid_from') }}
        ),

        reached as (
            select
                min(
                    case
                        when begun.first_date is null or changed.first_date <= begun.first_date
                            then cast('0001-01-01' as date)
                        else changed.first_date
                    end
                ) as first_date
            from changed
            left join begun on changed.feed = begun.feed
        )

        select distinct streams.business_date
        from bronze.streams as streams
        inner join reached on streams.business_date >= reached.first_date
    {%- endset -%}
    {%- set dates = [] -%}
    {%- for row in run_query(query).rows -%}{%- do dates.append(row[0].isoformat()) -%}{%- endfor -%}
    {{ return(dates) }}
{% endmacro %}

{# Those dates and the day after each: a window of listening that ends shortly after midnight begins before it. #}
{% macro days_after_catalogue() %}
    {{ return(widened(dates_since_catalogue(), 0, 1)) }}
{% endmacro %}
