"""Two failures: one passes by itself, and the other is never tried again, by any of the retries."""

from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run

from ops_project.defs.shared.permanent import classified
from ops_project.pipeline.recovery.decide import retries
from ops_project.pipeline.recovery.decide.retries import Pauses


class Session:
    """The part of a run's session that is needed here."""

    stopped = None

    def __init__(self) -> None:
        self.told: list[str] = []

    def retried(self, words: str) -> None:
        self.told.append(words)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        retries,
        "PAUSES",
        {name: Pauses(found.retries, found.seconds / 10_000, found.backoff) for name, found in retries.PAUSES.items()},
    )


@pytest.fixture
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Run retries are switched on, as they may be in a careless dagster.yaml."""
    overrides = {"run_retries": {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": True}}
    with dg.DagsterInstance.ephemeral(settings=overrides) as found:
        yield found


def executed(
    instance: dg.DagsterInstance, attempts: list[Callable[[], None]], session: Session
) -> tuple[dg.ExecuteInProcessResult, int]:
    """Run a step whose attempts call these functions, one after the other. Returns the result and the number of
    attempts.
    """
    made = iter(attempts)
    count = 0

    @dg.op
    def load(context: dg.OpExecutionContext) -> None:
        nonlocal count
        count += 1
        with classified("load", session):  # type: ignore[arg-type]  # no limit is set, so the watchdog is not asked
            next(made)()

    @dg.job
    def nightly() -> None:
        load()

    return nightly.execute_in_process(instance=instance, raise_on_error=False), count


def refused() -> None:
    raise ConnectionRefusedError("connection refused by 10.0.0.1")


def broken() -> None:
    raise TypeError("no such column")


def declared(transient: bool) -> Callable[[], None]:
    def fail() -> None:
        """Raises a failure with its class, as dbt's failures do."""
        raise dg.Failure(
            "3 dbt nodes failed",
            metadata={"failure_class": "lock_contention" if transient else "data_invalid", "transient": transient},
            allow_retries=transient,
        )

    return fail


def logged(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [entry.user_message for entry in instance.all_logs(run_id) if "tried again" in entry.user_message]


def may_be_retried(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return bool(auto_reexecution_should_retry_run(instance, run, RunFailureReason.STEP_FAILURE))


def test_a_transient_failure_heals(instance: dg.DagsterInstance) -> None:
    session = Session()
    result, count = executed(instance, [refused, declared(True), lambda: None], session)
    assert result.success and count == 3
    first, second = logged(instance, result.run_id)
    assert "attempt 1 of 6 failed (connection_failure); tried again in" in first
    assert "attempt 2 of 4 failed (lock_contention)" in second
    assert [words.partition(":")[0] for words in session.told] == ["load", "3 dbt nodes failed"]


@pytest.mark.parametrize("fault", [broken, declared(False)])
def test_a_permanent_failure_is_never_retried(instance: dg.DagsterInstance, fault: Callable[[], None]) -> None:
    session = Session()
    result, count = executed(instance, [fault], session)
    assert not result.success and count == 1 and session.told == []
    [line] = logged(instance, result.run_id)
    assert "not tried again after attempt 1" in line
    [event] = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert "until somebody mends it" in str(failure.metadata["decision"].value)
    assert not may_be_retried(instance, result.run_id), "nor does the daemon start the run again"


def test_a_transient_failure_that_does_not_heal_says_that_it_was_tried(instance: dg.DagsterInstance) -> None:
    session = Session()
    result, count = executed(instance, [refused] * 7, session)
    assert not result.success and count == 6 and len(session.told) == 5
    assert logged(instance, result.run_id)[-1].startswith(
        "not tried again after attempt 6 (connection_failure): every attempt has failed"
    )
