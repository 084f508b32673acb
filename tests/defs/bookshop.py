"""A small Dagster project that knows nothing of this one. Its asset keys have other depths, its groups are its own, and
only this project declares its owners.
"""

from collections.abc import Iterator

import dagster as dg

BROKEN: set[str] = set()
"""What fails: names of assets and checks. Tests fill and clear it."""


def _fail(name: str) -> None:
    if name in BROKEN:
        raise ConnectionError(f"{name}: the printer's office refused the connection")


@dg.asset(group_name="intake", owners=["team:intake", "ines@books.example"], tags={"tier": "1"})
def titles() -> None:
    _fail("titles")


@dg.asset(group_name="intake", owners=["team:intake"], partitions_def=dg.StaticPartitionsDefinition(["north", "south"]))
def tills() -> None:
    _fail("tills")


catalogue = dg.AssetSpec("catalogue", group_name="outside")


@dg.asset(group_name="sales", deps=[titles, tills, catalogue], owners=["team:sales"], key_prefix=["mart", "daily"])
def turnover() -> None:
    _fail("turnover")


@dg.asset(deps=[turnover])
def board() -> None:
    _fail("board")


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("titles_have_names", asset=titles.key, blocking=True),
        dg.AssetCheckSpec("turnover_is_usual", asset=turnover.key),
    ],
    can_subset=True,
)
def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    for key in sorted(context.selected_asset_check_keys):
        severity = dg.AssetCheckSeverity.WARN if key.name == "turnover_is_usual" else dg.AssetCheckSeverity.ERROR
        passed = key.name not in BROKEN
        yield dg.AssetCheckResult(passed=passed, asset_key=key.asset_key, check_name=key.name, severity=severity)


NIGHTLY = dg.define_asset_job("nightly", selection=dg.AssetSelection.assets(titles, turnover, board))
COUNT = dg.define_asset_job("count", selection=dg.AssetSelection.assets(titles), owners=["team:stock"])


@dg.sensor(job=NIGHTLY)
def parcels(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason("no parcel")


@dg.sensor(job=NIGHTLY, owners=["team:doors"])
def doors(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason("no knock")


def definitions() -> dg.Definitions:
    return dg.Definitions(
        assets=[catalogue, titles, tills, turnover, board],
        asset_checks=[checks],
        jobs=[NIGHTLY, COUNT],
        schedules=[
            dg.ScheduleDefinition(name="at_night", job=NIGHTLY, cron_schedule="0 2 * * *"),
            dg.ScheduleDefinition(name="twice", job=COUNT, cron_schedule=["0 6 * * *", "30 18 * * *"]),
            dg.ScheduleDefinition(name="tills_weekly", target=[titles], cron_schedule="0 3 * * 1"),
        ],
        sensors=[parcels, doors],
        executor=dg.in_process_executor,
    )
