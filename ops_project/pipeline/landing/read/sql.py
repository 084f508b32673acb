"""Quoting for SQL text, and names of landing's own."""

from __future__ import annotations

import re
from pathlib import Path

# No column of a contract can begin so: its name is an identifier. It stands before landing's own columns wherever SQL
# of a contract sees them.
OWN = "landing:"


def identifier(name: str) -> str:
    """`name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def own(name: str) -> str:
    """`name` as an identifier that no column of a contract can bear."""
    return identifier(OWN + name)


def literal(text: str) -> str:
    """`text` as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """A string literal by which a reader opens this very file: `*`, `?` and `[` in its name match nothing else."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))
