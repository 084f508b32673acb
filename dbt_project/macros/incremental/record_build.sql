{#
  Post-hook of every model, inside its transaction. It records how far the model has read its feeds, when it last wrote,
  and how often it was built from nothing.

  A model counts as having read no more than its parents. Otherwise a model that is built alone, ahead of a parent,
  would later skip the rows that the parent still brings. built_at does not change if a build had nothing to do.
#}
{% macro record_build() %}
    {%- if execute and model.resource_type == 'model' and model.config.materialized in ('table', 'incremental') -%}
        {%- set parents = [] -%}
        {%- for node in model.depends_on.nodes if node.startswith('model.') -%}
            {%- set parent = graph.nodes[node] -%}
            {%- if parent.config.materialized in ('table', 'incremental') -%}{%- do parents.append(parent.name) -%}{%- endif -%}
        {%- endfor -%}
        {%- if 'exchange_rates' in model.config.get('meta', {}).get('feeds', []) %}
    delete from ops.build_currencies where model = '{{ model.name }}';
    insert into ops.build_currencies values ('{{ model.name }}', '{{ var('reporting_currency') }}');
        {%- endif %}
        {%- if model.config.materialized == 'incremental' and not is_incremental() %}
    -- The whole table is new, so a later snapshot must not look only at its touched dates.
    insert into ops.whole_builds (model, times)
    select '{{ model.name }}', 0
    where not exists (select 1 from ops.whole_builds where model = '{{ model.name }}');
    update ops.whole_builds set times = times + 1 where model = '{{ model.name }}';
        {%- endif %}
        {{ record_build_sql(model.name, parents, wrote=model.config.materialized == 'table' or not is_incremental() or touched_dates() | length > 0) }}
    {%- endif -%}
{% endmacro %}

{% macro record_build_sql(name, parents, wrote) %}
    {%- set consumed -%}
        least(
            (select coalesce(max(load_seq), 0) from ops.touched_dates)
            {%- if parents %},
            (
                select coalesce(min(load_seq), 9223372036854775807)
                from ops.builds
                where model in ('{{ parents | join("', '") }}')
            )
            {%- endif %}
        )
    {%- endset -%}
    update ops.builds
    set load_seq = {{ consumed }}
    {%- if wrote %}, built_at = {{ as_of() }}{% endif %}
    where model = '{{ name }}';
    {%- if wrote %}
    -- In a replay of the past, new rows can carry a time that a test has already seen. They still have to be tested.
    update ops.tested
    set tested_at = {{ dbt.dateadd('second', -1, as_of()) }}
    where model = '{{ name }}' and tested_at >= {{ as_of() }};
    {%- endif %}
    insert into ops.builds (model, load_seq, built_at)
    select '{{ name }}', {{ consumed }}, {{ as_of() }}
    where not exists (select 1 from ops.builds where model = '{{ name }}');
{% endmacro %}
