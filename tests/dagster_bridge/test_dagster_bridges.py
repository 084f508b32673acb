"""The places that use Dagster's internal API: what they rely on is tested, so that a change in a new version is
noticed.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db
from dagster import AssetMaterialization
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge import run_tags
from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.storage import EventLog, RunStorage
from ops_project.defs.shared.dbt_events import failure_of
from ops_project.pipeline.dbt_engine.runner import DbtResult
from ops_project.process.processes import current
from ops_project.settings import Settings
from tests.empty_home import NOW


@dg.multi_asset(
    specs=[dg.AssetSpec(["gold", "a"]), dg.AssetSpec(["gold", "b"])],
    check_specs=[
        dg.AssetCheckSpec("holds", asset=["gold", "a"], blocking=True),
        dg.AssetCheckSpec("odd", asset=["gold", "b"]),
    ],
)
def two():
    yield dg.MaterializeResult(asset_key=["gold", "a"], metadata={"dagster/row_count": 7})
    yield dg.AssetCheckResult(asset_key=["gold", "a"], check_name="holds", passed=True)
    yield dg.MaterializeResult(asset_key=["gold", "b"])
    yield dg.AssetCheckResult(
        asset_key=["gold", "b"], check_name="odd", passed=False, severity=dg.AssetCheckSeverity.WARN, description="odd"
    )


@pytest.fixture
def instance(settings: Settings):
    dagster_home.ensure(settings)
    with settings.exported(), bridge.open_instance(settings) as found:
        yield found


def test_the_instance_uses_our_storage_and_anybody_can_read_its_files(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    assert isinstance(instance.event_log_storage, EventLog)
    assert isinstance(instance.run_storage, RunStorage)
    runs = [dg.materialize([two], instance=instance).run_id for _ in range(2)]
    for run in runs:
        with sqlite3.connect(settings.dagster_home / "history" / "runs" / f"{run}.db") as connection:
            stored = connection.execute("SELECT count(*) FROM event_logs").fetchone()[0]
        assert stored == len(instance.all_logs(run)) > 10, "the second run's file comes from the template"
    assert instance.get_latest_materialization_event(dg.AssetKey(["gold", "a"])) is not None
    assert instance.event_log_storage.get_logs_for_all_runs_by_log_id(
        after_cursor=0, dagster_event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )


def test_what_a_run_plans_is_stored_in_one_transaction_of_each_file(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    connect = EventLog._connect

    def counted(log: EventLog, shard: str):
        if shard not in log._in_transaction:
            begun.append(shard)
        return connect(log, shard)

    log = instance.event_log_storage
    stored = log.store_event_batch
    planned = []
    monkeypatch.setattr(EventLog, "_connect", counted)

    def batch(events) -> None:
        begun.clear()
        stored(events)
        planned.append(([event.run_id for event in events], begun.copy()))

    monkeypatch.setattr(log, "store_event_batch", batch)
    run = dg.materialize([two], instance=instance).run_id
    assert planned == [([run] * 4, ["index", run])]
    events = [event.dagster_event_type for event in instance.all_logs(run)]
    assert events.count(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED) == 2
    assert events.count(dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED) == 2


@pytest.mark.parametrize("many", [True, False])
def test_the_index_is_committed_after_the_run_so_that_a_kill_between_leaves_no_entry_without_a_run(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    run = dg.materialize([two], instance=instance).run_id
    log = instance.event_log_storage
    events = list(instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED))
    committed: list[str] = []
    for shard in (run, "index"):
        db.event.listen(log._engine(shard), "commit", lambda _, shard=shard: committed.append(shard))
    if many:
        log.store_event_batch(events)
    else:
        log.store_event(events[0])
    assert committed == [run, "index"]


def test_of_an_event_that_the_index_refuses_the_index_keeps_nothing(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_arguments: object) -> None:
        raise RuntimeError("refused")

    run = dg.materialize([two], instance=instance).run_id
    log = instance.event_log_storage
    key = dg.AssetKey(["gold", "a"])
    before = log.get_latest_materialization_events([key])
    [event] = [
        event
        for event in instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        if event.dagster_event is not None and event.dagster_event.asset_key == key
    ]
    monkeypatch.setattr(EventLog, "_store_asset_event", refuses)
    with pytest.raises(RuntimeError, match="refused"):
        log.store_event(event)
    assert log.get_latest_materialization_events([key]) == before
    with log.index_connection() as connection:
        count = connection.execute(
            db.text("SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'")
        ).scalar()
    assert count == 2, "the event itself went with it"


def test_what_a_run_did(instance: dg.DagsterInstance) -> None:
    found = bridge.outcome(instance, dg.materialize([two], instance=instance).run_id)
    assert found.built == found.planned == {("gold", "a"), ("gold", "b")}
    assert found.rows == {("gold", "a"): 7}
    checks = {check.name: check for check in found.checks}
    assert checks["holds"].blocking and checks["holds"].passed and not checks["holds"].blocks
    assert checks["odd"].warned and not checks["odd"].failed and not checks["odd"].blocks


def test_a_run_whose_process_died_is_marked_failed_and_a_living_one_is_not(instance: dg.DagsterInstance) -> None:
    dead = str(current()).rpartition(":")[0] + ":1"
    # The run is in another container of this host, so its pid means nothing here.
    elsewhere = f"{current().boot.partition('.')[0]}.1:{current().pid}:1"
    runs = {}
    for name, process in {"dead": dead, "alive": str(current()), "unknown": "", "elsewhere": elsewhere}.items():
        run = instance.create_run_for_job(dg.Definitions(assets=[two]).resolve_implicit_global_asset_job_def())
        instance.add_run_tags(run.run_id, {run_tags.PROCESS_TAG: process} if process else {})
        instance.handle_new_event(_started(run))
        runs[name] = run.run_id
    done = bridge.mark_dead_runs(instance, NOW)
    assert len(done) == 1 and runs["dead"][:8] in done[0]
    states = {name: instance.get_run_by_id(run).status.value for name, run in runs.items()}
    assert states == {"dead": "FAILURE", "alive": "STARTED", "unknown": "STARTED", "elsewhere": "STARTED"}
    # The run held the writer's lock, which is free now.
    assert len(bridge.mark_dead_runs(instance, NOW, left=runs["elsewhere"])) == 1
    words = [f"{log.user_message} {log.message} {log.dagster_event}" for log in instance.all_logs(runs["dead"])]
    assert any("Nothing needs cleaning up" in text for text in words)


def _started(run: dg.DagsterRun):
    from dagster._core.events import DagsterEvent, DagsterEventType
    from dagster._core.events.log import EventLogEntry

    event = DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name=run.job_name, message="started")
    return EventLogEntry(
        error_info=None,
        level=20,
        user_message="started",
        run_id=run.run_id,
        timestamp=NOW.timestamp(),
        dagster_event=event,
    )


def test_dagster_yaml_is_written_once_and_never_again(settings: Settings) -> None:
    dagster_home.ensure(settings)
    file = settings.dagster_home / "dagster.yaml"
    file.write_text("telemetry: {enabled: false}\n")
    dagster_home.ensure(settings)
    assert file.read_text() == "telemetry: {enabled: false}\n"


def test_one_run_at_a_time_and_no_telemetry(instance: dg.DagsterInstance) -> None:
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
    assert not instance.telemetry_enabled


def test_a_run_keeps_its_events_and_does_not_fill_the_console(
    instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    @dg.op
    def speak(context) -> None:
        context.log.info("a word")

    @dg.job
    def talk() -> None:
        speak()

    result = talk.execute_in_process(instance=instance)
    said = capfd.readouterr()
    assert " DEBUG " not in said.out + said.err and "a word" in said.out + said.err
    kept = {record.dagster_event_type for record in instance.all_logs(result.run_id)}
    assert {dg.DagsterEventType.STEP_START, dg.DagsterEventType.RUN_SUCCESS} <= kept


def test_dbt_events_become_dagster_events_as_before() -> None:
    """The same call as in `stream`, with an event in the form of dbt 1.11."""
    unique_id = "model.shop.sales"
    manifest = {
        "metadata": {"adapter_type": "duckdb"},
        "nodes": {
            unique_id: {
                "unique_id": unique_id,
                "resource_type": "model",
                "name": "sales",
                "alias": "sales",
                "schema": "gold",
                "config": {"materialized": "table", "schema": "gold"},
                "depends_on": {"nodes": []},
                "columns": {},
                "fqn": ["shop", "sales"],
                "original_file_path": "models/sales.sql",
                "raw_code": "select 1",
                "package_name": "shop",
                "tags": [],
                "meta": {},
                "checksum": {"checksum": "x"},
            }
        },
        "sources": {},
        "groups": {},
        "parent_map": {unique_id: []},
        "child_map": {unique_id: []},
    }
    event = {
        "info": {"name": "LogModelResult", "invocation_id": "i", "msg": "OK"},
        "data": {
            "status": "OK",
            "node_info": {
                "unique_id": unique_id,
                "node_status": "success",
                "materialized": "table",
                "node_started_at": NOW.isoformat(),
                "node_finished_at": (NOW + timedelta(seconds=2)).isoformat(),
            },
        },
    }
    message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
    found = list(message.to_default_asset_events(manifest=manifest))
    assert [type(item) for item in found] == [AssetMaterialization]
    assert found[0].asset_key == dg.AssetKey(["gold", "sales"])
    assert found[0].metadata["Execution Duration"].value == 2.0


def test_a_failing_test_is_no_failure_of_dbt_and_an_error_says_whether_to_retry() -> None:
    assert failure_of(DbtResult(failed_tests=("primary_key",))) is None
    permanent = failure_of(DbtResult(errors=("sales: Conversion Error: not a number",), skipped=("summary",)))
    assert permanent is not None and not permanent.allow_retries
    assert "summary" in (permanent.description or "")
    transient = failure_of(DbtResult(exception=ConnectionResetError("gone")))
    assert transient is not None and transient.allow_retries


def test_a_home_has_its_own_dagster(tmp_path: Path) -> None:
    first, second = (Settings(home=tmp_path / name) for name in ("one", "two"))
    for settings in (first, second):
        dagster_home.ensure(settings)
    with first.exported(), bridge.open_instance(first) as instance:
        dg.materialize([two], instance=instance)
    with second.exported(), bridge.open_instance(second) as instance:
        assert not list(instance.get_run_records())
