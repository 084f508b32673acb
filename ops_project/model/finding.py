"""The kinds of findings: what landing can find about a file, and training and scoring about a model. Every kind has
exactly one alert rule (tests/operations/alerting/test_every_finding_has_a_rule.py). Each kind is a failure class. A
new kind is added here first, and then its rule in rules.yaml.
"""

from __future__ import annotations

from typing import Literal

LOADED = "loaded"
"""The name of a label. On the signal of a finding, this label says how much of the file was loaded."""
WHOLE = "whole"
"""A value of the label LOADED: every row and every column of the contract was loaded as the source meant it. So the
finding alone makes nothing downstream wrong.
"""

FileFindingKind = Literal[
    "source_missing",
    "source_late",
    "source_empty",
    "source_partial",
    "source_duplicate",
    "schema_mismatch",
    "data_invalid",
    "key_violation",
    "code_error",
    "config_error",
    "resource_exhausted",
    "storage_full",
]
ModelFindingKind = Literal["mart_build_failure", "value_anomaly", "volume_anomaly", "data_invalid"]
