"""Decides whether one alert can cause another, from the kinds of failure and the times at which they began."""

from __future__ import annotations

from datetime import timedelta

from ops_project.model.alerting.alert import Alert
from ops_project.model.finding import LOADED, WHOLE

# Two observations of the same moment may differ by this much, in either order.
SLACK = timedelta(minutes=1)
# Failures of these classes begin where they are seen. A cause can explain such a failure only if it has the same class
# or one of the classes listed here. These are the classes of causes that left out or changed the data that the failure
# reads. Any other failure upstream is a coincidence.
_OWN = {
    "code_error": frozenset({"schema_mismatch", "config_error", "mart_build_failure", "interface_load_failure"}),
    "config_error": frozenset(),
    "schema_mismatch": frozenset(),
    "resource_exhausted": frozenset({"storage_full"}),
    "storage_full": frozenset({"resource_exhausted"}),
    "lock_contention": frozenset({"timeout", "connection_failure"}),
    "connection_failure": frozenset(),
    "timeout": frozenset({"lock_contention", "connection_failure", "resource_exhausted"}),
    "process_killed": frozenset({"resource_exhausted"}),
    "orchestrator_down": frozenset(),
    "delivery_failure": frozenset({"connection_failure"}),
    "source_missing": frozenset(),
    "source_late": frozenset(),
    "source_empty": frozenset(),
    "source_partial": frozenset(),
    "source_duplicate": frozenset(),
}
UNKNOWN = ("", "unknown")


def fits(cause: Alert, symptom: Alert) -> bool:
    """Whether `cause` can explain `symptom`."""
    if cause.labels.get(LOADED) == WHOLE:
        return False
    return _class_fits(cause.failure_class, symptom.failure_class) and (
        same_run(cause, symptom) or symptom.starts_at >= cause.starts_at - SLACK
    )


def _class_fits(cause: str, symptom: str) -> bool:
    own = _OWN.get(symptom)
    return own is None or cause == symptom or cause in UNKNOWN or cause in own


def same_run(cause: Alert, symptom: Alert) -> bool:
    """Whether the same run reported both alerts."""
    return bool(cause.run_id) and cause.run_id == symptom.run_id


def came_together(cause: Alert, symptom: Alert, within: timedelta) -> bool:
    """Whether the symptom came together with its cause. Then it needs no message of its own."""
    return same_run(cause, symptom) or symptom.starts_at <= cause.starts_at + within
