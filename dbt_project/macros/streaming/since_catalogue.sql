{#
  The dates of streams that a new extract of songs or users changes. These are its own date and all later dates, because
  a version is valid until another extract differs. The first extract is also used for all dates before it, so a change
  of the first extract changes all dates. On an ordinary day the result is only the newest date.

  Tables are named directly: dbt would not know a ref() in a macro that runs only in an incremental build.
#}
{% macro dates_since_catalogue() %}
    {%- set query -%}
        with changed as (
            select feed, min(business_date) as first_date
            from ops.touched_dates
            where feed in ('songs', 'users') and load_seq > {{ consumed() }}
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
    {{ return(dates_of(query)) }}
{% endmacro %}

{#
  The dates of dates_since_catalogue() and the day after each of them, because a listening session shortly after
  midnight may begin on the day before.
#}
{% macro days_after_catalogue() %}
    {{ return(widened(dates_since_catalogue(), 0, 1)) }}
{% endmacro %}
