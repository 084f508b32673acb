{#
  When a refused stream was listened to, UTC. NULL if the row gives no readable time, or a day that no stream can have.
  The limits for this day depend on the day of loading, so that a build on another day gives the same result.
#}
{% macro refused_moment(raw_text, loaded_at) -%}
    {%- set said -%}
        try_cast(
            json_extract_string(case when json_valid({{ raw_text }}) then {{ raw_text }} end, '$.listened_at')
            as {{ dbt.type_timestamp() }}
        )
    {%- endset -%}
    case
        when
            {{ said }} >= cast('{{ var("first_plausible_date") }}' as date)
            and cast({{ said }} as date) <= {{ days_later('cast(' ~ loaded_at ~ ' as date)', 1) }}
            then {{ said }}
    end
{%- endmacro %}

{#
  The refused streams of files that are loaded and not replaced. A stream without a readable time counts on the date of
  its file, and only at the time of its load. By default the tables are given by name, because dbt does not find a
  source() in a macro that runs only in an incremental build.
#}
{% macro refused_streams(quarantine='ops.quarantine', batches='ops.batches') %}
    select
        coalesce(cast(listened_at as date), file_date) as business_date,
        listened_at,
        loaded_at,
        load_seq,
        refused
    from (
        select
            {{ refused_moment('quarantine.raw_text', 'batches.loaded_at') }} as listened_at,
            batches.loaded_at,
            batches.load_seq,
            batches.business_date as file_date,
            quarantine.rows as refused
        from {{ quarantine }} as quarantine
        inner join {{ batches }} as batches on quarantine.batch_id = batches.batch_id
        where quarantine.feed = 'streams' and batches.status = 'loaded'
    ) as read
{%- endmacro %}

{#
  The dates whose number of refused streams has changed. Landing does not record such a change among the touched dates,
  because a refused stream has no row in bronze. A date has changed in two cases: a file that this model has not read
  added refused streams to the date, or the model's number differs from the present number.
#}
{% macro dates_of_refusals() %}
    {%- set query -%}
        with standing as (
            {{ refused_streams() }}
        ),

        now_refused as (
            select business_date, sum(refused) as refused, max(load_seq) as load_seq
            from standing
            group by business_date
        ),

        counted as (
            {%- if model.name == 'rec_stream_validation' %}
            select business_date, max(refused) as refused
            {%- else %}
            select business_date, sum(refused) as refused
            {%- endif %}
            from {{ this }}
            where refused > 0
            group by business_date
        )

        select coalesce(now_refused.business_date, counted.business_date) as business_date
        from now_refused
        full outer join counted on now_refused.business_date = counted.business_date
        where
            now_refused.load_seq > {{ consumed() }}
            or coalesce(now_refused.refused, 0) <> coalesce(counted.refused, 0)
    {%- endset -%}
    {{ return(dates_of(query)) }}
{% endmacro %}

{#
  The dates of dates_of_refusals() and the day after each of them. A window of listening that ends shortly after
  midnight begins before midnight.
#}
{% macro days_after_refusals() %}
    {{ return(widened(dates_of_refusals(), 0, 1)) }}
{% endmacro %}
