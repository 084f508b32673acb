"""The evidence that diagnosis gets about an incident: from the warehouse, the journal, the runs, the code and the logs.

Queries run on the newest snapshot, which is opened read-only, with a limit of time and of memory. All evidence is
masked before it is returned. The package does not import Dagster, so that `ops diagnose` starts quickly.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops_project.defs.operations.evidence.batches import items_of_batches
from ops_project.defs.operations.evidence.code import items_of_code
from ops_project.defs.operations.evidence.duplicates import items_of_duplicates
from ops_project.defs.operations.evidence.runs import items_of_logs, items_of_runs
from ops_project.defs.operations.evidence.tables import changes_of_tables, commits_of_runs, items_of_tables
from ops_project.defs.operations.evidence.upstream import items_of_upstream
from ops_project.operations.diagnosis.evidence import EvidenceSource
from ops_project.settings import Settings

OF_ANY_PROJECT: Sequence[EvidenceSource] = (
    EvidenceSource("runs", items=lambda scene: list(items_of_runs(scene))),
    EvidenceSource("upstream", items=lambda scene: list(items_of_upstream(scene))),
)
"""The sources that need only the ledger and the asset graph."""
SOURCES: Sequence[EvidenceSource] = (
    *OF_ANY_PROJECT,
    EvidenceSource(
        "tables", items=lambda scene: list(items_of_tables(scene)), changes=changes_of_tables, commits=commits_of_runs
    ),
    EvidenceSource("batches", items=lambda scene: list(items_of_batches(scene))),
    EvidenceSource("duplicates", items=lambda scene: list(items_of_duplicates(scene))),
    EvidenceSource("code", items=lambda scene: list(items_of_code(scene))),
    EvidenceSource("logs", items=lambda scene: list(items_of_logs(scene))),
)


def sources_of(settings: Settings) -> Sequence[EvidenceSource]:
    """The sources of this home. Another Dagster project has no warehouse of ours."""
    return SOURCES if settings.watched is None else OF_ANY_PROJECT
