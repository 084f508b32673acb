"""Leases make sure that one process at a time runs the cycle, and that another takes over when its heartbeat stops.

The fence is a number that grows with each holder. A decision is written only under the newest fence. So a process that
was believed dead but still runs cannot change anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select

from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.cursors import set_cursors
from ops_project.operations.ledger.schema import leases

Fence = tuple[str, str, int]
"""The claim under which a process writes: (name of the lease, holder, fence)."""


# Every cycle runs these statements. They are built only once, because building one takes longer than running it.
_FOUND = select(leases).where(leases.c.name == bindparam("lease"))
_OWN = leases.update().where(
    leases.c.name == bindparam("lease"), leases.c.holder == bindparam("own"), leases.c.fence == bindparam("fenced")
)
_TAKEN = (
    leases.update()
    .where(leases.c.name == bindparam("lease"))
    .values({name: bindparam(name) for name in ("holder", "fence", "heartbeat_at", "expires_at")})
)
_RENEWED = _OWN.values({name: bindparam(name) for name in ("heartbeat_at", "expires_at")})
_RELEASED = _OWN.values({"holder": "", **{name: bindparam(name) for name in ("heartbeat_at", "expires_at")}})


class LeaseLost(RuntimeError):
    """Another process has taken over the lease."""


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
    """Raises LeaseLost unless `holder` still has the lease with this fence. Must be called within the transaction that
    writes.
    """
    row = connection.execute(_FOUND, {"lease": name}).one_or_none()
    if row is None or row.holder != holder or row.fence != fence:
        raise LeaseLost(f"the lease {name!r} is held by {row.holder if row else 'nobody'}")


def _of(lease: Lease, now: datetime, expires: datetime) -> dict[str, object]:
    """The parameters of a statement that changes a lease if `lease.holder` still has it."""
    return {
        "lease": lease.name,
        "own": lease.holder,
        "fenced": lease.fence,
        "heartbeat_at": to_seconds(now),
        "expires_at": to_seconds(expires),
    }


class LeaseTable(Access):
    """Takes, renews and gives back leases."""

    def acquire(self, name: str, holder: str, now: datetime, ttl: timedelta) -> Lease | None:
        """Take the lease, under a new fence. Returns None if another process holds the lease and it has not expired."""
        # This commit does not wait for the disk. In a power cut, the holder dies too, and the next process sees from
        # the boot id of the machine that it has died.
        with self.write(durable=False, marked=False) as connection:
            row = connection.execute(_FOUND, {"lease": name}).one_or_none()
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
                connection.execute(_TAKEN, {"lease": name, **values})
        return Lease(name, holder, fence, now, now + ttl)

    def renew(self, lease: Lease, now: datetime, ttl: timedelta) -> Lease | None:
        """Renew a lease. If this holder no longer has it, because another process has taken it or it was given back,
        nothing changes and None is returned.
        """
        expires = max(now + ttl, lease.expires_at)
        with self.write(durable=False, marked=False) as connection:
            result = connection.execute(_RENEWED, _of(lease, now, expires))
        return replace(lease, heartbeat_at=now, expires_at=expires) if result.rowcount == 1 else None

    def release(self, lease: Lease, now: datetime, noted: Mapping[str, str] | None = None) -> None:
        """Give the lease back. The time of its last heartbeat stays stored, because other processes look at it.

        `noted`: cursors that are set in the same transaction.
        """
        with self.write(durable=False, marked=False) as connection:
            set_cursors(connection, noted or {}, to_seconds(now))
            connection.execute(_RELEASED, _of(lease, now, now))

    def lease(self, name: str) -> Lease | None:
        with self.read() as connection:
            row = connection.execute(_FOUND, {"lease": name}).one_or_none()
        if row is None:
            return None
        return Lease(row.name, row.holder, row.fence, from_seconds(row.heartbeat_at), from_seconds(row.expires_at))
