"""The figures of the boards: one SQL file each, with its title, its definition and its source. This module reads the
files and their headers, and executes nothing. A figure reads one of three sources: the newest snapshot of the
warehouse (`$as_of`, `$as_of_date`), the ledger (`:as_of`, in seconds), or Dagster's runs (a table `runs`; `:as_of`,
ISO 8601). A day or month of a moment is that of the platform's time zone: `at time zone 'UTC' at time zone $zone` in a
snapshot, `local_day(…)` in the runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ops_project.queries import QueryError, domains, queries

FOLDER = Path(__file__).parent / "boards"
TITLES = {
    "operational": "Operational",
    "quality": "Data quality",
    "models": "Models",
    "cost": "Cost",
    "business": "Business",
}
REPORTS = "reports"
"""The board of the figures in reports. Their parameters are a period from `since` to `as_of`, and the period before
it, which begins at `before`.
"""
SNAPSHOT, LEDGER, RUNS = "snapshot", "ledger", "runs"
SOURCES = (SNAPSHOT, LEDGER, RUNS)
SHAPES = ("number", "line", "bars", "table")
KEYS = ("title", "tells", "source", "shape", "unit", "empty")
_FILE = re.compile(r"^(\d+)_([a-z0-9_]+)\.sql$")
_HEADER = re.compile(r"^-- (\w+): (.+)$")


@dataclass(frozen=True)
class Figure:
    """One figure. These are the values of `shape`:

    - number: the first column of the only row
    - line: the first column is the x axis
    - bars: a label, a value, and further columns
    - table
    """

    board: str
    name: str
    title: str
    tells: str
    source: str
    shape: str
    unit: str
    sql: str
    empty: str = ""
    """The sentence in place of the figure if the answer has no rows. It is given if the figure is then unknown."""

    @property
    def id(self) -> str:
        """The figure's name in addresses: board/name."""
        return f"{self.board}/{self.name}"


@lru_cache(maxsize=8)
def figures(board: str) -> tuple[Figure, ...]:
    """The figures of a board in the order of their numbers. Raises QueryError."""
    if board not in TITLES and board != REPORTS:
        raise QueryError(f"there is no board {board!r}; valid: {', '.join(TITLES)}")
    return tuple(_read(path, board) for path in sorted((FOLDER / board).glob("*.sql")))


def figure(board: str, name: str) -> Figure:
    """One figure of a board. The board `queries-<domain>` has the operational queries. Raises QueryError."""
    found = {item.name: item for item in (of_domain(board[8:]) if board.startswith("queries-") else figures(board))}
    if name not in found:
        raise QueryError(f"board {board} has no figure {name!r}; valid: {', '.join(found)}")
    return found[name]


@lru_cache(maxsize=16)
def of_domain(domain: str) -> tuple[Figure, ...]:
    """The operational queries of a domain (`ops queries`) as figures. Raises QueryError."""
    return tuple(
        Figure(
            board=f"queries-{domain}",
            name=query.name,
            title=query.title,
            tells=query.tells,
            source=SNAPSHOT,
            shape="table",
            unit="",
            sql=query.sql,
        )
        for query in queries(domain)
    )


def every() -> list[Figure]:
    """Every figure of every board, and the operational queries of every domain."""
    own = [item for board in (*TITLES, REPORTS) for item in figures(board)]
    return own + [item for domain in domains() for item in of_domain(domain)]


def _read(path: Path, board: str) -> Figure:
    named = _FILE.match(path.name)
    if named is None:
        raise QueryError(f"{path}: a figure's file is named <number>_<name>.sql")
    values: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    body = next((at for at, line in enumerate(lines) if _HEADER.match(line) is None), len(lines))
    for line in lines[:body]:
        if (header := _HEADER.match(line)) is not None:
            values[header[1]] = header[2]
    for key, valid in (("source", SOURCES), ("shape", SHAPES)):
        if values.get(key) not in valid:
            raise QueryError(f"{path}: {key} {values.get(key)!r} is not one of {', '.join(valid)}")
    if wrong := sorted({*KEYS[:4]} - values.keys() | values.keys() - {*KEYS}):
        raise QueryError(f"{path}: the header lacks or does not know {', '.join(wrong)}; valid: {', '.join(KEYS)}")
    sql = "\n".join(lines[body:]).strip().rstrip(";")
    return Figure(
        board=board,
        name=named[2],
        title=values["title"],
        tells=values["tells"],
        source=values["source"],
        shape=values["shape"],
        unit=values.get("unit", ""),
        sql=sql,
        empty=values.get("empty", ""),
    )
