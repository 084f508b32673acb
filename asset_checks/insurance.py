"""Checks of the insurance domain. The source numbers its changes, and the numbers must have no gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asset_checks.stated import StatedCheck

TABLES: Mapping[str, Mapping[str, Any]] = {"silver.rec_policy_sequence_gaps": {"expected": False}}

STATED = (
    StatedCheck(
        name="cdc_gaps",
        asset="bronze.policies",
        table="silver.rec_policy_sequence_gaps",
        failing="gap_class in ('lost_changes', 'missing_partition')",
        says="case when first_missing_seq = last_missing_seq then 'change ' || first_missing_seq"
        " else 'changes ' || first_missing_seq || '–' || last_missing_seq end"
        " || ' never came (' || gap_class || ', after ' || after_date || ', before ' || before_date || ')'",
        description="Every change that the source counted has come, or landing refused it, or its file is only late.",
        advice="Ask the source to send these changes again; a gap closes by itself when they land.",
        failure_class="source_partial",
        evidence=("first_missing_seq", "last_missing_seq", "missing_changes", "gap_class", "after_date", "before_date"),
        order="first_missing_seq desc",
    ),
    StatedCheck(
        name="cdc_late_partition",
        asset="bronze.policies",
        table="silver.rec_policy_sequence_gaps",
        failing="gap_class = 'late_partition'",
        says="'changes ' || first_missing_seq || '–' || last_missing_seq || ' wait for a file between '"
        " || after_date || ' and ' || before_date",
        description="No file of changes is late while later ones have landed.",
        advice="The file may still come in time: wait for it. Later figures are provisional until it lands.",
        failure_class="source_late",
        severity="medium",
        evidence=("first_missing_seq", "last_missing_seq", "missing_changes", "after_date", "before_date"),
        order="first_missing_seq desc",
    ),
)
