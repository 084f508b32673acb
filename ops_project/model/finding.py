"""The kinds of findings. Landing has findings about a file. Training and scoring have findings about a model. Each kind
is a failure class and has exactly one alert rule (tests/operations/alerting/test_every_finding_has_a_rule.py). For a
new kind, first add it here, and then add its rule to rules.yaml.
"""

from __future__ import annotations

from typing import Literal

LOADED = "loaded"
"""The name of a label. On the signal of a finding, this label says how much of the file was loaded."""
WHOLE = "whole"
"""A value of the label LOADED: every row and every column of the contract was loaded as the source meant it. Such a
finding alone does not make tables downstream wrong.
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
