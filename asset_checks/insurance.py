"""What only insurance knows: the source numbers its changes without holes, and no gaps at all is the good case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TABLES: Mapping[str, Mapping[str, Any]] = {
    "bronze.policies": {"sequence_column": "cdc_seq"},
    "silver.rec_policy_sequence_gaps": {"expected": False},
}
