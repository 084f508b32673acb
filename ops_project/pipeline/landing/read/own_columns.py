"""Names of landing's own columns. No column of a contract can have such a name."""

from __future__ import annotations

from ops_project.sql_text import identifier

# The names of a contract's columns are identifiers, so none can begin with this prefix. The prefix is used wherever SQL
# of a contract can see landing's own columns.
OWN = "landing:"


def own(name: str) -> str:
    """`name` with the prefix, as a quoted identifier."""
    return identifier(OWN + name)
