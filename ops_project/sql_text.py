"""Quotes names and values for SQL text. Only this module of the package doubles quotes."""

from __future__ import annotations

import re
from pathlib import Path


def identifier(name: str) -> str:
    """`name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def relation(table: str) -> str:
    """`schema.table` as quoted identifiers. A dot in the table's own name stays part of the name."""
    return ".".join(identifier(part) for part in table.split(".", 1))


def literal(text: str) -> str:
    """`text` as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """A string literal with which a reader opens only this file. `*`, `?` and `[` in its name match only themselves."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))
