"""The names of the failure classes. Code and configuration name a failure only by these names."""

from __future__ import annotations

from typing import Literal, get_args

FailureClass = Literal[
    "source_missing",
    "source_late",
    "source_empty",
    "source_partial",
    "source_duplicate",
    "schema_mismatch",
    "data_invalid",
    "key_violation",
    "reference_violation",
    "volume_anomaly",
    "value_anomaly",
    "reconciliation_break",
    "freshness_breach",
    "sla_breach",
    "duration_regression",
    "interface_load_failure",
    "mart_build_failure",
    "code_error",
    "config_error",
    "resource_exhausted",
    "storage_full",
    "lock_contention",
    "connection_failure",
    "timeout",
    "process_killed",
    "orchestrator_down",
    "delivery_failure",
    "unknown",
]
FAILURE_CLASSES: tuple[str, ...] = get_args(FailureClass)
