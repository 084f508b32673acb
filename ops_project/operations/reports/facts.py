"""The facts of a report: plain values that are stored, so that the report can be rendered again with the same bytes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FigureFacts:
    """One figure and its answer. The values are texts, numbers, booleans or None, which means unknown."""

    name: str
    title: str
    tells: str
    sql: str
    source: str
    source_as_of: str
    unknown: str
    """Why there is no answer; empty if there is one."""
    empty: str
    """A sentence, if an answer without rows means that the figure is unknown. Otherwise empty."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def known(self) -> bool:
        """Whether the figure has an answer. `Nothing to report` is an answer too."""
        return not self.unknown and not (self.empty and not self.rows)


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A report as it was made: its figures with their rows."""

    kind: str
    title: str
    asks: str
    first: str
    last: str
    until: str
    """The moment (UTC) up to which the facts of the report are known."""
    drawn_at: str
    zone: str
    figures: tuple[FigureFacts, ...]

    def figure(self, name: str) -> FigureFacts | None:
        return next((figure for figure in self.figures if figure.name == name), None)

    def dump(self) -> dict[str, Any]:
        return asdict(self)
