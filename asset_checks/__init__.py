"""Asset checks for what dbt cannot test: files, lateness, volume history, control totals, anomalies, scores.

The package knows Dagster and the warehouse, but not `ops_project`: it is given plain values and functions. One call
makes one `@dg.multi_asset_check(can_subset=True)` for a layer of a domain. It is one step for any number of tables:

    from asset_checks.specs import Reference, TableSpec
    from asset_checks.layer import build_layer_checks

    checks = build_layer_checks(
        domain="ecommerce",
        layer="bronze",                      # any word; the op is called <domain>_<layer>_checks
        tables=[TableSpec(schema="bronze", table="orders", feed="orders", key=("order_id",), …)],
        parameters=catalog.checks,           # ops_project.model.checks.Checks, or anything shaped like it
        connect=lambda context: context.resources.warehouse.connection(),   # the run's DuckDB connection
        clock=lambda context: settings.now(),                               # aware, UTC; called once a step
        timezone="America/New_York",         # where business dates begin and end
        required_resource_keys={"warehouse"},
        pool=None, op_tags=None,             # handed to Dagster as they are
        guard=unguarded,                     # context manager around the step: its time limit, what errors become
    )                                        # -> dg.AssetChecksDefinition | None (None: nothing to check)

`asset_checks.from_manifest.table_specs(manifest, select=…)` makes the TableSpecs of dbt models from a parsed manifest:
keys, required columns, allowed values and references are read from the dbt tests, so each is written only once.
`asset_checks/<domain>.py` adds what only that domain knows (control totals, daily series); it is found by its name.

This module itself imports nothing, so that the statistics in `primitives/` can be used without Dagster.
"""
