"""The results of landing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ops_project.counted import counted
from ops_project.model.finding import FileFindingKind


@dataclass(frozen=True)
class Batch:
    """One file, as a row of `ops.batches`."""

    batch_id: str
    feed: str
    file_name: str
    business_date: date
    status: str
    load_seq: int
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    rows_filtered: int
    rows_collapsed: int
    finding: str | None
    message: str | None
    replaces_batch_id: str | None = None


@dataclass(frozen=True)
class Finding:
    """One finding, as a row of `ops.findings`."""

    kind: FileFindingKind
    feed: str
    business_date: date | None
    file_name: str | None
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    state: str = "open"
    batch_id: str | None = None


@dataclass(frozen=True)
class Replayed:
    """The refused rows of a file after it was read again."""

    feed: str
    file_name: str
    business_date: date
    batch_id: str
    """The batch that is valid now."""
    tried: int
    passed: int
    refused: int
    """Rows of the file that are in quarantine now."""
    parked: int
    """How many of these rows are parked, because they were refused too often."""

    @property
    def words(self) -> str:
        """One line about the file, for people."""
        parked = f", {self.parked:,} of them parked" if self.parked else ""
        return (
            f"{self.file_name}: {counted(self.tried, 'refused row')} tried again, {self.passed:,} passed, "
            f"{self.refused:,} "
            f"in quarantine{parked}"
        )


@dataclass
class LandingResult:
    """The results of one call of `land` for one feed."""

    feed: str
    batches: list[Batch] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    resolved: int = 0
    """Findings that this call closed."""
    touched_dates: list[date] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Files that stay in the inbound folder: dated ahead, outside the requested dates, still being written, or without
    their control file.
    """

    recovered: list[str] = field(default_factory=list)
    """Sentences about files that an interrupted run had committed. This call put them into the archive."""

    replayed: list[Replayed] = field(default_factory=list)

    def followed_by(self, later: LandingResult) -> LandingResult:
        """This result and a later one, added together."""
        return LandingResult(
            feed=self.feed,
            batches=[*self.batches, *later.batches],
            findings=[*self.findings, *later.findings],
            resolved=self.resolved + later.resolved,
            touched_dates=sorted({*self.touched_dates, *later.touched_dates}),
            waiting=later.waiting,
            recovered=[*self.recovered, *later.recovered],
            replayed=[*self.replayed, *later.replayed],
        )

    def total(self, name: str) -> int:
        """The sum of one count over all batches, for example of `rows_loaded`."""
        return sum(getattr(batch, name) for batch in self.batches)

    @property
    def rows_in(self) -> int:
        return self.total("rows_in")

    @property
    def rows_loaded(self) -> int:
        return self.total("rows_loaded")

    @property
    def rows_quarantined(self) -> int:
        return self.total("rows_quarantined")

    @property
    def rows_filtered(self) -> int:
        return self.total("rows_filtered")

    @property
    def rows_collapsed(self) -> int:
        return self.total("rows_collapsed")

    @property
    def files(self) -> dict[str, int]:
        """Status → number of files."""
        counts: dict[str, int] = {}
        for batch in self.batches:
            counts[batch.status] = counts.get(batch.status, 0) + 1
        return counts


Progress = Callable[[Batch], None]
