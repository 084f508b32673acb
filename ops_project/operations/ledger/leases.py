"""Leases: one process at a time runs the cycle, and another takes over when its heartbeat stops.

The fence is a number that grows with each holder. A decision is written only under the newest fence, so a process that
was believed dead, but still runs, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.cursors import set_cursors
from ops_project.operations.ledger.schema import leases

Fence = tuple[str, str, int]
"""(lease, holder, number): the claim under which a process writes."""


class LeaseLost(RuntimeError):
    """Another process holds the lease by now."""


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    holder: str
    fence: int
    heartbeat_at: datetime
    expires_at: datetime

    @property
    def fenced(self) -> Fence:
        return (self.name, self.holder, self.fence)


def check_fence(connection: Connection, name: str, holder: str, fence: int) -> None:
    """Raises LeaseLost unless `holder` still has the lease with this fence. It runs within the caller's transaction."""
    row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
    if row is None or row.holder != holder or row.fence != fence:
        raise LeaseLost(f"the lease {name!r} is held by {row.holder if row else 'nobody'}")


class LeaseTable(Access):
    """Takes, keeps and gives back leases."""

    def acquire(self, name: str, holder: str, now: datetime, ttl: timedelta) -> Lease | None:
        """Take the lease, under a new fence. None if another process holds it and it has not expired."""
        # This commit does not wait for the disk. In a power cut the holder dies too, and the next holder sees from the
        # machine's boot id that it died.
        with self.write(durable=False, marked=False) as connection:
            row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
            if row is not None and row.holder not in ("", holder) and row.expires_at > to_seconds(now):
                return None
            fence = 1 if row is None else row.fence + 1
            values = {
                "holder": holder,
                "fence": fence,
                "heartbeat_at": to_seconds(now),
                "expires_at": to_seconds(now + ttl),
            }
            if row is None:
                connection.execute(insert(leases), {"name": name, **values})
            else:
                connection.execute(leases.update().where(leases.c.name == name).values(**values))
        return Lease(name, holder, fence, now, now + ttl)

    def renew(self, lease: Lease, now: datetime, ttl: timedelta) -> Lease | None:
        """Renew a lease that this holder still has. If another process has taken it, or if it was given back, nothing
        changes and the result is None.
        """
        expires = max(now + ttl, lease.expires_at)
        with self.write(durable=False, marked=False) as connection:
            result = connection.execute(
                leases.update()
                .where(leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.fence == lease.fence)
                .values(heartbeat_at=to_seconds(now), expires_at=to_seconds(expires))
            )
        return replace(lease, heartbeat_at=now, expires_at=expires) if result.rowcount == 1 else None

    def release(self, lease: Lease, now: datetime, noted: Mapping[str, str] | None = None) -> None:
        """Give the lease back. The time of its last heartbeat is kept, because other processes look at it.

        `noted`: cursors to set in the same transaction.
        """
        with self.write(durable=False, marked=False) as connection:
            set_cursors(connection, noted or {}, to_seconds(now))
            connection.execute(
                leases.update()
                .where(leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.fence == lease.fence)
                .values(holder="", heartbeat_at=to_seconds(now), expires_at=to_seconds(now))
            )

    def lease(self, name: str) -> Lease | None:
        with self.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
        if row is None:
            return None
        return Lease(row.name, row.holder, row.fence, from_seconds(row.heartbeat_at), from_seconds(row.expires_at))
