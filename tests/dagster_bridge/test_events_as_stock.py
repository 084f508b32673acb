"""Our event log writes the same into its files as Dagster's own class does for the same events."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from ops_project.dagster_bridge.event_rows import ABOUT_ASSETS
from ops_project.dagster_bridge.storage import EventLog

DAYS = dg.StaticPartitionsDefinition(["2026-03-02", "2026-03-03"])


@dg.asset(
    partitions_def=DAYS,
    check_specs=[dg.AssetCheckSpec("holds", asset="by_day"), dg.AssetCheckSpec("odd", asset="by_day")],
)
def by_day(context: dg.AssetExecutionContext) -> Iterator[dg.Output[int] | dg.AssetCheckResult]:
    context.log.info("nothing personal")
    yield dg.Output(7, metadata={"dagster/row_count": 7}, data_version=dg.DataVersion("1"), tags={"origin": "test"})
    yield dg.AssetCheckResult(check_name="holds", passed=True, metadata={"rows": 7})
    yield dg.AssetCheckResult(
        check_name="odd", passed=False, severity=dg.AssetCheckSeverity.WARN, description="odd, but no error"
    )


@dg.asset
def seen(context: dg.AssetExecutionContext) -> None:
    context.log_event(dg.AssetObservation("seen", metadata={"at": 1.5}))
    context.log.warning("twice %s", "seen")


@dg.asset(deps=[seen])
def broken() -> None:
    raise ValueError("on purpose")


@dg.asset_check(asset=seen, blocking=True)
def alone() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture(scope="module")
def events() -> list[dg.EventLogEntry]:
    """Every event of three runs, in the order in which they were stored, and three that belong to no run."""
    told: list[dg.EventLogEntry] = []
    with dg.DagsterInstance.ephemeral() as instance:
        stored = instance.event_log_storage.store_event
        instance.event_log_storage.store_event = lambda event: (told.append(event), stored(event))[1]  # type: ignore[method-assign]  # listens
        dg.materialize([by_day], instance=instance, partition_key="2026-03-02", tags={"team": "a"})
        dg.materialize([by_day], instance=instance, partition_key="2026-03-03")
        job = dg.Definitions(
            assets=[seen, broken], asset_checks=[alone], jobs=[dg.define_asset_job("both")]
        ).resolve_job_def("both")
        job.execute_in_process(instance=instance, raise_on_error=False)
        instance.report_runless_asset_event(dg.AssetMaterialization("outside", partition="x"))
        instance.report_runless_asset_event(dg.AssetObservation("outside"))
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=dg.AssetKey("outside"), check_name="by hand", passed=False, metadata={})
        )
    return told


def dump(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """`file table` → its rows, without the time at which a row was written."""
    rows = {}
    for file in sorted(folder.glob("*.db")):
        with closing(sqlite3.connect(file)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                if table not in {"secondary_indexes", "sqlite_sequence"}:
                    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
                    kept = ", ".join(f'"{column}"' for column in columns if column != "create_timestamp")
                    rows[f"{file.name} {table}"] = connection.execute(f'SELECT {kept} FROM "{table}"').fetchall()
    return rows


@pytest.fixture(scope="module")
def expected(
    events: list[dg.EventLogEntry], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[object, ...]]]:
    """The rows that the stock class writes for these events."""
    folder = tmp_path_factory.mktemp("stock")
    stock = SqliteEventLogStorage(str(folder))
    for event in events:
        stock.store_event(event)
    stock.dispose()
    return dump(folder)


@pytest.mark.parametrize("many", [True, False], ids=["one batch", "one by one"])
def test_the_files_are_the_same(
    tmp_path: Path, events: list[dg.EventLogEntry], expected: dict[str, list[tuple[object, ...]]], many: bool
) -> None:
    kinds = {event.dagster_event_type for event in events if event.is_dagster_event}
    assert {
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_OBSERVATION,
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.RUN_FAILURE,
    } <= kinds
    ours = EventLog(str(tmp_path))
    if many:
        ours.store_event_batch(events)
    else:
        for event in events:
            ours.store_event(event)
    ours.dispose()
    found = dump(tmp_path)
    assert found.keys() == expected.keys()
    for table, rows in expected.items():
        assert found[table] == rows, table
    assert sum(map(len, expected.values())) > 100


def test_an_outcome_that_was_planned_twice_is_refused_as_by_the_stock_class(
    tmp_path: Path, events: list[dg.EventLogEntry]
) -> None:
    ours = EventLog(str(tmp_path))
    planned = next(
        event for event in events if event.dagster_event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    )
    outcome = next(
        event
        for event in events
        if event.dagster_event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION and event.run_id == planned.run_id
    )
    ours.store_event(planned)
    ours.store_event(planned)
    with pytest.raises(dg.DagsterInvariantViolationError, match="Updated 2 rows"):
        ours.store_event(outcome)
    with ours.index_connection() as connection:
        states = connection.exec_driver_sql("SELECT DISTINCT execution_status FROM asset_check_executions").fetchall()
    assert [tuple(state) for state in states] == [("PLANNED",)], "the index keeps nothing of it"
    ours.dispose()


def test_what_a_kill_between_the_two_files_left_out_is_stored_in_the_index_later(
    tmp_path: Path, events: list[dg.EventLogEntry]
) -> None:
    """The run's own file has the event, and the index of all runs lacks it. Each kind is tried in each run."""
    ours = [event for event in events if event.run_id and event.dagster_event_type in ABOUT_ASSETS]
    about = list({(event.run_id, event.dagster_event_type): event for event in ours}.values())
    assert {event.dagster_event_type for event in about} >= {
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_OBSERVATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    }
    for number, last in enumerate(about):
        folder = tmp_path / str(number)
        before = EventLog(str(folder))
        before.store_event_batch(events[: events.index(last)])
        before.dispose()
        index = (folder / "index.db").read_bytes()
        with_it = EventLog(str(folder))
        with_it.store_event(last)
        with_it.dispose()
        wanted = dump(folder)
        for file in folder.glob("index.db*"):
            file.unlink()
        (folder / "index.db").write_bytes(index)
        assert dump(folder) != wanted
        mended = EventLog(str(folder))
        assert [mended.complete_index(last.run_id), mended.complete_index(last.run_id)] == [1, 0]
        mended.dispose()
        assert dump(folder) == wanted, last.dagster_event_type
