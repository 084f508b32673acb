"""What is reported about a run that has ended. The reports are only values, so that a process that shows them need not
import Dagster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ops_project.dagster_bridge import run_words

if TYPE_CHECKING:
    from ops_project.dagster_bridge.runs import RunOutcome
    from ops_project.pipeline.landing import Replayed

SUCCEEDED = "succeeded"


@dataclass
class RunReport:
    """What is reported about a run that has ended. It is filled in while the warehouse is still open."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds of each part: waiting, snapshot, publish."""
    batches: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    """Gold tables that were not published, in words."""
    on_hold: list[str] = field(default_factory=list)
    """Tables that were skipped because they are on hold, in words."""
    repaired: list[str] = field(default_factory=list)
    replayed: list[Replayed] = field(default_factory=list)
    """Files whose refused rows were tried again."""
    retries: list[str] = field(default_factory=list)
    """Attempts that failed and were followed by another, with the reason."""
    offers: list[str] = field(default_factory=list)
    """Commands that could help now, with their reasons: files to replay under a changed contract."""
    snapshot: str | None = None
    failed_checks: int | None = None
    """How many checks failed in the run; None until they are counted."""
    error: str | None = None
    """Why snapshot or publication failed, or why the run could not begin."""
    unusable: str | None = None
    """Why the warehouse cannot be used; in that case no domain can run."""


@dataclass
class DomainRun:
    """One Dagster run of a domain and everything that is reported about it."""

    domain: str
    job: str
    state: str
    """How the steps of the run ended: succeeded, failed, nothing new, no files yet, nothing to replay."""
    seconds: float
    run_id: str | None = None
    window: tuple[date, date] | None = None
    report: RunReport = field(default_factory=RunReport)
    outcome: RunOutcome | None = None
    error: str | None = None

    @property
    def ending(self) -> str:
        """How the run ended, for programs. It is `not published` or `checks failed` if only the steps succeeded."""
        return run_words.ending(self.state, checks_failed=self._failed_checks > 0, published=self.report.error is None)

    @property
    def words(self) -> str:
        """How the run ended, for people."""
        return run_words.words_of(self.ending, self._failed_checks)

    @property
    def _failed_checks(self) -> int:
        return self.outcome.failed_checks if self.outcome else 0

    @property
    def failed(self) -> bool:
        """Whether the command must end with an error."""
        return self.state == "failed" or self.report.error is not None or self._failed_checks > 0
