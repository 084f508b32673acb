"""The facts about a file before landing writes it, and the problems of the file. This module holds values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ops_project.model.feed.feed import Contract
from ops_project.model.finding import FileFindingKind
from ops_project.pipeline.landing.read.scan import Scan
from ops_project.pipeline.landing.read.stage import Stage

# A type counts as changed only if at least this many rows fail. Fewer rows are merely bad rows, even in a small file.
LEAST_FAILURES = 3


@dataclass(frozen=True)
class FileProblem:
    """A finding about a file.

    `kind`: a failure class.
    `rejects`: the file must not be loaded.
    """

    kind: FileFindingKind
    message: str
    rejects: bool
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass
class Examination:
    """The facts about a file before landing writes it."""

    scan: Scan
    contract: Contract
    file_date: date
    problems: list[FileProblem] = field(default_factory=list)
    rows_in: int = 0
    rows_good: int = 0
    rows_refused: int = 0
    rows_filtered: int = 0
    rows_repeated: int = 0
    """The rows that repeat a key. With `duplicate_keys: all`, the first row with the key counts too. The rows are
    collapsed if the contract keeps the first row, and quarantined otherwise.
    """
    rows_collapsed: int = 0
    control_rows: int | None = None
    fast: bool = False
    """True if the fast reader was used."""
    reasons: list[dict[str, object]] = field(default_factory=list)
    samples: list[dict[str, object]] = field(default_factory=list)
    repeated_samples: list[dict[str, object]] = field(default_factory=list)
    stage: Stage | None = None

    @property
    def rejected(self) -> FileProblem | None:
        """The problem for which the file is rejected; None if the file can be loaded."""
        return next((problem for problem in self.problems if problem.rejects), None)

    def reject(self, kind: FileFindingKind, message: str, **evidence: Any) -> Examination:
        """Add a problem that rejects the file. Every row then counts as refused. Returns this examination."""
        self.problems.append(FileProblem(kind, message, True, evidence))
        self.rows_in = self.rows_in or self.scan.lines
        self.rows_refused, self.rows_good, self.rows_filtered, self.rows_collapsed = self.rows_in, 0, 0, 0
        self.stage = None
        return self
