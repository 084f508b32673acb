"""The basis of a report: plain values that are stored, so that the report can be drawn again with the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class FigureFacts:
    """One figure with its answer. Values are texts, numbers, booleans or None (unknown)."""

    name: str
    title: str
    tells: str
    sql: str
    source: str
    source_as_of: str
    unknown: str
    """Why there is no answer; empty if there is one."""
    empty: str
    """If an answer without rows means that the figure is unknown: the sentence that says so. Otherwise empty."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def known(self) -> bool:
        """Whether the figure has an answer, even if the answer is that there is nothing."""
        return not self.unknown and not (self.empty and not self.rows)


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A report as it was drawn up: its figures with their rows."""

    kind: str
    title: str
    asks: str
    first: str
    last: str
    until: str
    """The moment up to which the report's facts are known, UTC."""
    drawn_at: str
    zone: str
    figures: tuple[FigureFacts, ...]

    def figure(self, name: str) -> FigureFacts | None:
        return next((figure for figure in self.figures if figure.name == name), None)

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> ReportFacts:
        """The inverse of `dump`."""
        values = dict(data)
        values["figures"] = tuple(_figure(item) for item in data["figures"])
        found = cls(**values)
        if wrong := [
            item.name for item in fields(cls) if item.type == "str" and not isinstance(values[item.name], str)
        ]:
            raise ValueError(f"{', '.join(wrong)} is not text")
        return found


def _figure(data: Mapping[str, Any]) -> FigureFacts:
    values = dict(data)
    rows: Sequence[Sequence[Any]] = data["rows"]
    values["columns"], values["rows"] = tuple(data["columns"]), tuple(tuple(row) for row in rows)
    return FigureFacts(**values)
