"""Names of landing's own columns, which no column of a contract can have."""

from __future__ import annotations

from ops_project.sql_text import identifier

# A column's name in a contract is an identifier, so it cannot begin like this. The prefix stands before landing's own
# columns wherever SQL of a contract sees them.
OWN = "landing:"


def own(name: str) -> str:
    """`name` as an identifier that no column of a contract can have."""
    return identifier(OWN + name)
