"""Stores the measurements and answers for each line of a checklist. Rows are only added, and the newest row of a line
counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.people_schema import checklist_lines


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest state of one line of a checklist in one period."""

    state: str
    value: str
    by: str
    at: datetime


class ChecklistTable(Access):
    """Stores and reads the lines of checklists."""

    def keep_checklist(
        self, checklist: str, period: str, lines: Sequence[tuple[str, str, str]], now: datetime, by: str = ""
    ) -> None:
        """Store lines of a checklist for a period. `lines`: (line, state, value)."""
        rows = [
            {
                "checklist": checklist,
                "period": period,
                "line": line,
                "state": state,
                "value": value,
                "given_by": by,
                "at": to_seconds(now),
            }
            for line, state, value in lines
        ]
        if rows:
            with self.write() as connection:
                connection.execute(insert(checklist_lines), rows)

    def checklist(self, checklist: str, period: str) -> dict[str, Kept]:
        """Line → its newest state in the period."""
        statement = (
            select(checklist_lines)
            .where(checklist_lines.c.checklist == checklist, checklist_lines.c.period == period)
            .order_by(checklist_lines.c.id)
        )
        with self.read() as connection:
            return {
                row.line: Kept(row.state, row.value, row.given_by, from_seconds(row.at))
                for row in connection.execute(statement)
            }
