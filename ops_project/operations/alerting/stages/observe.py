"""The first stage: runs the observers. All observations are stored before anything is decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from ops_project.dagster_bridge.storage_errors import storage_words
from ops_project.failures import Unusable
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.looks import PATIENCE_SECONDS, begin_or_wait, is_late
from ops_project.operations.alerting.observers.observer import Observer, View
from ops_project.operations.alerting.stages.under_way import Cycle
from ops_project.operations.ledger.leases import LeaseLost
from ops_project.process.kill_points import reach

# An observer that is late by this share of its interval runs in any case.
LATE = 0.5


def observe(cycle: Cycle) -> None:
    """Run all observers that are due. The signals of each are stored together with its cursors.

    An observer that fails or hangs does not stop the others.
    """
    cursors: Mapping[str, str] = cycle.ledger.cursors()
    for observer in _due(cycle, cursors):
        cycle.moved()
        try:
            cursors = _look(cycle, observer, cursors)
        except LeaseLost:
            raise
        except Exception as error:
            # A signal reports that the observer fails. Until it works again, the state of its source is unknown.
            words = cycle.without_secrets(_words(cycle, observer, error))
            cycle.report.observer_errors[observer.name] = words
            cursors = {**cursors, **_tell_failing(cycle, {observer.name: words}, set(), cursors)}
            continue
        if observer.every and not is_late(cycle.settings.ledger_url, observer):
            cycle.noted[f"looked:{observer.name}"] = cycle.now.isoformat()


def _words(cycle: Cycle, observer: Observer, error: Exception) -> str:
    if isinstance(error, Unusable):
        return str(error)  # The text of this error already says what happened, where, and what to do.
    of_dagster = storage_words(error, cycle.settings.dagster_home) if observer.needs_instance else ""
    return of_dagster or f"{type(error).__name__}: {error}"


def _look(cycle: Cycle, observer: Observer, cursors: Mapping[str, str]) -> Mapping[str, str]:
    """Run one observer, page by page. Returns the cursors after it. Raises the observer's own errors."""
    # A daemon runs another cycle in a few seconds, so it does not wait for a slow look. If no later cycle will come,
    # the process waits as long as the look may take.
    seconds = observer.hung_after.total_seconds() if cycle.config.flush_now else PATIENCE_SECONDS
    while True:
        view = View(
            settings=cycle.settings,
            catalog=cycle.catalog,
            ledger=cycle.ledger,
            lineage=cycle.lineage,
            cursors=cursors,
            now=cycle.now,
            instance=cycle.instance,
        )
        seen = begin_or_wait(observer, view, seconds)
        if seen is None:
            cycle.report.late.append(observer.name)
            return cursors
        cycle.report.signals += cycle.ledger.append(seen.signals, seen.cursors, cycle.now)
        reach("cycle:observed")
        cycle.moved()
        cursors = {**cursors, **seen.cursors}
        failed = {f"{observer.name}: {part}": cycle.without_secrets(words) for part, words in seen.failed.items()}
        cycle.report.observer_errors |= failed
        well = {observer.name, *(f"{observer.name}: {part}" for part in seen.well)}
        cursors = {**cursors, **_tell_failing(cycle, failed, well, cursors)}
        if not seen.more:
            return cursors


def _tell_failing(
    cycle: Cycle, failed: Mapping[str, str], well: Collection[str], cursors: Mapping[str, str]
) -> dict[str, str]:
    """Store a signal for each observer, or part of an observer, that has begun to fail or no longer fails. Returns the
    changed cursors.
    """
    changed = {f"failing:{name}": "1" for name in failed if cursors.get(f"failing:{name}") != "1"}
    changed |= {f"failing:{name}": "" for name in well if cursors.get(f"failing:{name}") == "1"}
    if changed:
        signals = [
            _observer_signal(
                cycle, name.partition(":")[2], FIRING if firing else OK, failed.get(name.partition(":")[2], "")
            )
            for name, firing in changed.items()
        ]
        cycle.ledger.append(signals, changed, cycle.now)
    return changed


def _due(cycle: Cycle, cursors: Mapping[str, str]) -> list[Observer]:
    """The observers that run in this cycle.

    Observers with an interval take turns: one cycle runs only the one that is overdue longest, because running all of
    them made every sixth cycle slow. An observer that is late by half its interval runs in any case. If no later cycle
    will come, all that are due run.
    """
    always, periodic = [], []
    for observer in cycle.observers:
        if observer.needs_instance and cycle.instance is None:
            continue
        if not observer.every:
            always.append(observer)
            continue
        before = cursors.get(f"looked:{observer.name}")
        # If the last look has a time in the future, it was made under another clock.
        late = abs(cycle.now - datetime.fromisoformat(before)) - observer.every if before else observer.every
        if late >= timedelta():
            periodic.append((late / observer.every, observer))
    if periodic and not cycle.config.flush_now:
        longest = max(late for late, _ in periodic)
        first = next(observer for late, observer in periodic if late == longest)
        periodic = [(late, observer) for late, observer in periodic if late >= LATE or observer is first]
    chosen = {observer.name for _, observer in periodic}
    return [observer for observer in cycle.observers if observer in always or observer.name in chosen]


def _observer_signal(cycle: Cycle, name: str, state: str, words: str) -> Signal:
    return Signal(
        kind="observer.failure",
        state=state,
        value=float(state == FIRING),
        event_at=cycle.now,
        observed_at=cycle.now,
        occurrence=cycle.now.isoformat(),
        check=name,
        message=words,
        failure_class="code_error",
    )
