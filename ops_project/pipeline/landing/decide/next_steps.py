"""What to do next, in a sentence, for each failure class. The runbook says the rest."""

from __future__ import annotations

NEXT_STEPS: dict[str, str] = {
    "source_missing": "ask the upstream contact for the file; once it is in the inbound folder the next run lands it",
    "source_late": "nothing to do where it has arrived; else ask the upstream contact",
    "source_empty": "ask the upstream contact for a new delivery: this one has no bytes",
    "source_partial": "ask for a complete redelivery; it replaces this batch when it lands",
    "source_duplicate": "nothing to do where it was sent twice: the second delivery changed nothing",
    "schema_mismatch": "agree with upstream: a corrected file, or a new contract version in config/feeds",
    "data_invalid": "look at the quarantined rows: ops sql \"select * from ops.quarantine where feed = '…'\"",
    "key_violation": "find the key in the evidence; ask upstream which row is right",
    "reference_violation": "load the referenced feed first, or ask upstream for the missing rows",
    "volume_anomaly": "compare with the source's own count before anybody uses the numbers",
    "value_anomaly": "compare the day with the source before anybody uses the numbers",
    "connection_failure": "run again once the other side answers",
    "lock_contention": "run again when the other process has ended: ops status says which",
    "storage_full": "free space on the disk of the home, then run again",
    "resource_exhausted": "raise warehouse.memory_limit in platform.yaml or free memory, then run again",
    "timeout": "look what it waited for in logs/dagster.log, then run again",
    "process_killed": "run again: nothing needs cleaning up",
    "config_error": "mend the configuration file that the message names",
    "code_error": "this is a defect: the trace is in the run's page of the Dagster UI",
}
GENERAL = "open the run in the Dagster UI (ops ui), and the runbook of the domain"


def next_step(failure_class: str | None) -> str:
    """One sentence; the general one where the class is unknown."""
    return NEXT_STEPS.get(failure_class or "", GENERAL)
