"""The question, the facts and the answer of a diagnosis, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ops_project.column_lineage import ColumnLineage
from ops_project.lineage import Lineage


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong at an asset now."""

    asset: str
    kind: str
    """The metric that reports the trouble: landing.finding, check.failure …"""
    failure_class: str
    began_at: datetime
    message: str = ""
    check: str = ""
    column: str = ""
    run_id: str = ""
    began_in: str = ""
    """The run in which the trouble began; empty if it began outside of a run."""
    batch_id: str = ""
    evidence: str = ""
    """Where the trouble is recorded: the number of a signal, or a finding."""
    is_harmless: bool = False
    """True if a file differs from its contract in its structure, but every row and column of it was loaded."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is different since the last good run. It may be right or wrong."""

    asset: str
    kind: str
    """What has changed: code, schema, volume, batch or run."""
    at: datetime
    what: str
    run_id: str = ""
    commit: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about a candidate, with its evidence. A statement without evidence is never made."""

    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One suspect. The score only puts the candidates in order. It is not a probability."""

    asset: str
    score: float
    distance: int
    failure_class: str
    statements: tuple[Statement, ...]
    run_id: str = ""
    commit: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What is asked: which table (and column) is wrong, since when, and when it was last good."""

    asset: str
    column: str = ""
    wrong_at: datetime | None = None
    good_at: datetime | None = None
    wrong_in: str = ""
    """The run in which the table became wrong; empty if it is not known."""
    good_in: str = ""
    """The run that built the table when it was last good; empty if it is not known."""


@dataclass(frozen=True)
class Diagnosis:
    """The answer. If there is no culprit, no failure and no change upstream is known, and `unknown` lists what is not
    known.
    """

    question: Question
    chain: tuple[str, ...]
    """The assets on the path from the culprit to the table that was asked about."""
    culprit: Candidate | None
    runners_up: tuple[Candidate, ...]
    telling_apart: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    nearest_failing: str = ""
    """The answer of the simple rule: the nearest failing table upstream."""


@dataclass(frozen=True)
class Known:
    """Everything that is known about the asset graph, troubles and changes."""

    lineage: Lineage
    columns: ColumnLineage = field(default_factory=ColumnLineage)
    troubles: Sequence[Trouble] = ()
    changes: Sequence[Change] = ()
    commits: Mapping[str, str] = field(default_factory=dict)
    """Id of a run → the commit that the run used."""
    refers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Landed table → the landed tables whose keys its rows contain. For example, an order line contains the key of an
    order.
    """
    unread: Sequence[str] = ()
    """Sources of evidence that could not be read, with the reason."""
