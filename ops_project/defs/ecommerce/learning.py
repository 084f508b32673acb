"""The models of e-commerce. They are scored every night, trained every Sunday, and checked like any other table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from asset_checks.layer import build_layer_checks
from asset_checks.specs import TableSpec
from ops_project.defs.shared.checking import guarded
from ops_project.defs.shared.held import leave_out
from ops_project.defs.shared.jobs import SHORT_SECONDS, Job, job_definition
from ops_project.defs.shared.permanent import TASK_SECONDS, classified
from ops_project.defs.shared.run_session import RunSession
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.translator import CODE_REFERENCES, freshness_policy
from ops_project.pipeline.learning import scoring, tables
from ops_project.pipeline.learning.artifact import ModelUnusable
from ops_project.pipeline.learning.candidates import Training
from ops_project.pipeline.learning.registry import MODELS, Registry
from ops_project.pipeline.learning.scoring import Scored, Scoring, due, score
from ops_project.pipeline.learning.training import Trained, train
from ops_project.process.code_version import commit

DOMAIN, OWNER, RUNBOOK = "ecommerce", "team:data-science", "models"
WEEKLY_RECOMMENDATIONS, RETRAINING = "product_recommendations", "model_retraining"
DESCRIPTIONS = {
    "segmentation": "One row per customer who ordered within the lookback: the segment, named by its profile.",
    "churn": "One row per active customer: the probability of no order within the horizon, band and reasons.",
    "recommendations": "For each product, up to ten others that are bought and viewed together with it.",
}
# The models also read bronze tables. Only bronze keeps each version of a record, and so shows what was known on a past
# day.
CUSTOMERS = (
    "silver/int_customer_days",
    "silver/fact_exchange_rates",
    "bronze/orders",
    "bronze/order_items",
    "bronze/web_events",
)
INPUTS = {
    "segmentation": CUSTOMERS,
    "churn": CUSTOMERS,
    "recommendations": (
        "silver/fact_order_items",
        "silver/fact_web_events",
        "silver/dim_products",
        "silver/int_customer_days",
    ),
}
KEYS = {
    "segmentation": ("customer_id",),
    "churn": ("customer_id",),
    "recommendations": ("product_id", "recommended_product_id"),
}
HEALTH = {
    "segmentation": ("input_drift", "input_association", "coverage", "age"),
    "churn": ("input_drift", "input_association", "score_distribution", "calibration", "coverage", "age"),
    "recommendations": ("coverage", "age"),
}


def table_key(model: str) -> dg.AssetKey:
    """The asset key of a model's table: gold/<table>."""
    return dg.AssetKey(tables.TABLE_OF[model].split("."))


def model_key(model: str) -> dg.AssetKey:
    """The asset key of a model: models/<model>."""
    return dg.AssetKey(["models", model])


def nightly(site: Site) -> list[dg.AssetsDefinition]:
    """The predictions and their checks. They belong to the main job."""
    return [_scoring(site), *_checks(site)]


def weekly(site: Site) -> dg.Definitions:
    """The training, with its jobs and schedules on Sunday at 03:00 and 04:00."""
    jobs = [
        _job(WEEKLY_RECOMMENDATIONS, "Evaluate the recommendations and build them anew.", ("recommendations",), site),
        _job(
            RETRAINING, "Train segmentation and churn, promote what is better, score.", ("segmentation", "churn"), site
        ),
    ]
    return dg.Definitions(
        assets=[_training(site)],
        jobs=jobs,
        schedules=[
            dg.ScheduleDefinition(
                name=f"{job.name}_schedule",
                job=job,
                cron_schedule=cron,
                execution_timezone=site.catalog.platform.timezone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description=job.description,
            )
            for job, cron in zip(jobs, ("0 3 * * 0", "0 4 * * 0"), strict=True)
        ],
    )


def _spec(site: Site, model: str, *, table: bool) -> dg.AssetSpec:
    silver = [dg.AssetKey(name.split("/")) for name in INPUTS[model]]
    metadata: dict[str, object] = {
        "runbook": RUNBOOK,
        CODE_REFERENCES: dg.CodeReferencesMetadataValue(
            code_references=[dg.LocalFileCodeReference(file_path=str(Path(scoring.__file__)), line_number=1)]
        ),
    }
    if table:
        columns = tables.TABLES[tables.TABLE_OF[model]]
        metadata["dagster/table_name"] = tables.TABLE_OF[model]
        metadata["dagster/column_schema"] = dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=name,
                    type=kind.removesuffix(" not null"),
                    constraints=dg.TableColumnConstraints(nullable=not kind.endswith(" not null")),
                )
                for name, kind in columns.items()
            ]
        )
    weekly = not table or model == "recommendations"
    return dg.AssetSpec(
        table_key(model) if table else model_key(model),
        deps=[*silver, model_key(model)] if table else silver,
        description=DESCRIPTIONS[model] if table else f"The registered versions of {model}.",
        group_name=f"{DOMAIN}_gold" if table else f"{DOMAIN}_models",
        owners=site.owners([OWNER], named_in=Path(__file__)),
        kinds={"duckdb", "gold", "python"} if table else {"mlflow", "python"},
        tags={"domain": DOMAIN, "layer": "gold" if table else "models", "tier": "2"},
        metadata=metadata,
        freshness_policy=freshness_policy(site, DOMAIN, "gold", "weekly" if weekly else None),
    )


def _registry(site: Site) -> Registry:
    return Registry(site.settings.models, site.settings.registry_url)


def _job_facts(site: Site, session: RunSession) -> dict[str, Any]:
    return {
        "connection": session.connection(),
        "parameters": site.catalog.models,
        "registry": _registry(site),
        "now": session.now,
        "today": session.now.astimezone(ZoneInfo(site.catalog.platform.timezone)).date(),
        "run_id": session.run_id,
        "commit": commit(),
    }


def _scoring(site: Site) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="score_models",
        specs=[_spec(site, model, table=True).replace_attributes(skippable=True) for model in MODELS],
        can_subset=True,
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TASK_SECONDS)},
    )
    def body(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        session: RunSession = context.resources.warehouse
        facts = _job_facts(site, session)
        selected = context.op_execution_context.selected_asset_keys
        held = leave_out(site.settings, context, selected)
        session.report.on_hold += sorted(held.values())
        with classified("scoring", session, TASK_SECONDS):
            for model in MODELS:
                if table_key(model) not in selected or table_key(model) in held:
                    continue
                session.say(f"scoring {model}")
                job = Scoring(**facts)
                if context.job_name != WEEKLY_RECOMMENDATIONS and not due(job, model):
                    context.log.info(f"{model} is built weekly; it stays as it is")
                    continue
                if _never_trained(facts["registry"], model):
                    # On the first night with enough history, the model is trained at once and not on Sunday.
                    context.log.info(train(Training(**facts), model).message)
                yield _result(model, score(job, model))

    return body


def _never_trained(registry: object, model: str) -> bool:
    assert isinstance(registry, Registry)
    try:
        return registry.serving(model) is None
    except ModelUnusable:
        return False


def _result(model: str, scored: Scored) -> dg.MaterializeResult[Any]:
    metadata: dict[str, Any] = {"what": scored.message, "model version": scored.version or "none"}
    if scored.rows is not None:
        metadata["dagster/row_count"] = scored.rows
    metadata |= {reading.metric: reading.value for reading in scored.readings if reading.value is not None}
    return dg.MaterializeResult(asset_key=table_key(model), metadata=metadata)


def _training(site: Site) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="train_models",
        specs=[_spec(site, model, table=False).replace_attributes(skippable=True) for model in MODELS],
        can_subset=True,
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TASK_SECONDS)},
    )
    def body(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        session: RunSession = context.resources.warehouse
        selected = context.op_execution_context.selected_asset_keys
        held = leave_out(site.settings, context, selected)
        session.report.on_hold += sorted(held.values())
        with classified("training", session, TASK_SECONDS):
            for model in MODELS:
                if model_key(model) in selected and model_key(model) not in held:
                    session.say(f"training {model}")
                    trained = train(Training(**_job_facts(site, session)), model)
                    context.log.info(trained.message)
                    yield _trained(model, trained)

    return body


def _trained(model: str, trained: Trained) -> dg.MaterializeResult[Any]:
    decision = trained.decision
    return dg.MaterializeResult(
        asset_key=model_key(model),
        metadata={
            "what": trained.message,
            "version": trained.version or "none",
            "promoted": trained.promoted,
            "reason": decision.reason.value if decision else "no candidate",
            **trained.metrics,
        },
    )


def _checks(site: Site) -> list[dg.AssetChecksDefinition]:
    """One step of checks for each table. Dagster skips a step downstream of a skipped step. Recommendations are built
    weekly. So if the three tables had one step of checks, Dagster would skip it on all other days.
    """
    found = [_checks_of(site, model) for model in MODELS]
    return [checks for checks in found if checks is not None]


def _checks_of(site: Site, model: str) -> dg.AssetChecksDefinition | None:
    schema, _, table = tables.TABLE_OF[model].partition(".")
    return build_layer_checks(
        domain=DOMAIN,
        layer=model,
        tables=[
            TableSpec(
                schema=schema,
                table=table,
                tier=2,
                runbook=RUNBOOK,
                key=KEYS[model],
                required=tuple(
                    name for name, kind in tables.TABLES[tables.TABLE_OF[model]].items() if "not null" in kind
                ),
                # The table stays empty until there is enough history for a model. The readings report this.
                expected=False,
                model=model,
                health=HEALTH[model],
            )
        ],
        parameters=site.catalog.checks,
        connect=lambda context: context.resources.warehouse.connection(),
        clock=lambda context: context.resources.warehouse.now,
        timezone=site.catalog.platform.timezone,
        required_resource_keys={"warehouse"},
        guard=guarded,
    )


def _job(name: str, description: str, models: tuple[str, ...], site: Site) -> "dg.UnresolvedAssetJobDefinition":
    keys = [key for model in models for key in (model_key(model), table_key(model))]
    chosen = dg.AssetSelection.assets(*keys).without_checks() | dg.AssetSelection.checks(
        *(key for checks in _checks(site) for key in checks.check_keys if key.asset_key in keys)
    )
    return job_definition(Job(name, description, timeout_seconds=SHORT_SECONDS), DOMAIN, chosen)
