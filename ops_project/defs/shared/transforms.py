"""Makes one step for each layer of a domain's dbt models. Each layer has its own selection. A blocking check that fails
does not stop the step of its own layer. It stops the step of the next layer.
"""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from ops_project.defs.shared.dbt_events import stream
from ops_project.defs.shared.held import leave_out
from ops_project.defs.shared.permanent import TASK_SECONDS, TEST_SECONDS, classified
from ops_project.defs.shared.run_session import RunSession
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.translator import Translator
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.dbt_engine.rebuilds import grown
from ops_project.process.kill_points import reach


def dbt_layer(site: Site, translator: Translator, *, name: str, select: str) -> dg.AssetsDefinition | None:
    """The models of `select` (dbt's selection syntax) as one step with the name `name`; None if there are none."""
    manifest = site.dbt.without_unit_tests

    @dbt_assets(
        manifest=manifest,
        select=select,
        name=name,
        dagster_dbt_translator=translator,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TASK_SECONDS)},
    )
    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from _build(site, translator, body, select, context)

    return body if list(body.keys) else None


def _build(
    site: Site, translator: Translator, layer: dg.AssetsDefinition, select: str, context: dg.AssetExecutionContext
) -> Iterator[Any]:
    session: RunSession = context.resources.warehouse
    name = context.op_def.name
    connection = session.connection()

    def row_count(table: str) -> int | None:
        # DuckDB reads a count without a condition from the statistics of its file, in 0.2 ms.
        schema, _, relation = table.partition(".")
        row = connection.execute(f'SELECT count(*) FROM "{schema}"."{relation}"').fetchone()
        return int(row[0]) if row else None

    held = leave_out(site.settings, context, context.selected_asset_keys)
    session.report.on_hold += sorted(held.values())
    if held and held.keys() >= set(context.selected_asset_keys):
        return
    arguments = _selection(context, layer, select, held)
    tests_only = arguments["command"] == "test"
    seconds = TEST_SECONDS if tests_only else TASK_SECONDS
    with classified(f"dbt {name}", session, seconds):
        session.say(f"dbt {name}")
        reach(f"dbt:{name}")
        rebuilt = list(session.rebuild_tables)
        while True:
            invocation = dbt_runner.build(
                site.dbt,
                site.settings,
                as_of=session.now,
                rebuild=session.rebuild,
                memory_limit=site.catalog.platform.warehouse.memory_limit,
                threads=site.catalog.platform.warehouse.threads,
                extra_vars={
                    "rebuild_tables": rebuilt,
                    "reporting_currency": site.catalog.platform.reporting_currency,
                    "first_plausible_date": site.catalog.first_plausible_date.isoformat(),
                },
                **arguments,
            )
            try:
                yield from _told(
                    session,
                    stream(
                        invocation, context=context, manifest=site.dbt.json, translator=translator, row_count=row_count
                    ),
                )
            except dg.Failure:
                more = [model for model in grown(invocation.result) if model not in rebuilt]
                if not more:
                    raise
                # These models failed, and other models and tests were skipped because of them. The step builds all of
                # them now.
                for model in more:
                    line = f"{model}: its SQL has columns that its table lacks, so it is built anew"
                    context.log.info(line)
                    session.report.repaired.append(line)
                rebuilt += more
                arguments = {"select": [*more, *invocation.result.skipped], "command": "build"}
            else:
                return


def _told(session: RunSession, events: Iterator[Any]) -> Iterator[Any]:
    for event in events:
        if isinstance(event, dg.Output):
            session.say(f"built {event.output_name.replace('__', '.', 1)}")
            reach(f"built:{event.output_name}")
        yield event


def _selection(
    context: dg.AssetExecutionContext,
    layer: dg.AssetsDefinition,
    select: str,
    held: Collection[dg.AssetKey] = (),
) -> dict[str, Any]:
    """dbt's arguments for the assets of this step that Dagster selected.

    `layer`: all assets of the step. `context.assets_def` would contain only the selected ones.
    """
    keys = {key for key in context.selected_asset_keys if key not in held}
    checks = {check for check in context.selected_asset_check_keys if check.asset_key not in held}
    if keys == set(layer.keys) and checks == set(layer.check_keys):
        return {"select": [select], "command": "build"}
    unique_ids = {key: spec.metadata["dagster_dbt/unique_id"] for key, spec in layer.specs_by_key.items()}
    tests = [
        layer.get_spec_for_check_key(key).metadata["dagster_dbt/unique_id"].split(".")[2] for key in sorted(checks)
    ]
    models = [".".join(_fqn(unique_ids[key])) for key in sorted(keys)]
    if not keys:
        return {"select": tests, "command": "test"}
    return {"select": [*models, *tests], "command": "build", "with_tests": bool(checks)}


def _fqn(unique_id: str) -> list[str]:
    return unique_id.split(".")[2:]
