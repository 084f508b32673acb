"""The audit log, and the links that people have used. Each link in a message can be used once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.people_schema import audit, used_links


class AuditTable(Access):
    """Writes and reads the audit log. Its lines are never changed."""

    def audit(
        self, now: datetime, *, who: str, source: str, action: str, subject: str, outcome: str, detail: str
    ) -> None:
        """Write one line: who did what to what, from where, and whether it was done or refused."""
        row = {
            "at": to_seconds(now),
            "who": who,
            "source": source,
            "action": action,
            "subject": subject,
            "outcome": outcome,
            "detail": detail,
        }
        with self.write() as connection:
            connection.execute(insert(audit), row)

    def audit_log(self, limit: int = 100, actions: Collection[str] = ()) -> list[dict[str, Any]]:
        """At most `limit` lines, the newest first. `actions`: only lines about these actions; if it is empty, all
        lines.
        """
        names = ("who", "source", "action", "subject", "outcome", "detail")
        with self.read() as connection:
            wanted = select(audit).where(audit.c.action.in_(actions)) if actions else select(audit)
            rows = connection.execute(wanted.order_by(audit.c.id.desc()).limit(limit))
            return [{"at": from_seconds(row.at), **{name: getattr(row, name) for name in names}} for row in rows]

    def count_audit(self) -> int:
        """How many lines the audit log has."""
        with self.read() as connection:
            return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())

    def use_link(self, link: str, by: str, now: datetime) -> bool:
        """Record that a link was used. Returns False if it was used before."""
        try:
            with self.write() as connection:
                connection.execute(insert(used_links), {"id": link, "used_by": by, "used_at": to_seconds(now)})
        except IntegrityError:
            return False
        return True

    def link_used(self, link: str) -> bool:
        """Whether a link was used."""
        with self.read() as connection:
            return connection.execute(select(used_links.c.id).where(used_links.c.id == link)).first() is not None
