"""What a store must be able to do."""

from __future__ import annotations

from typing import Protocol

from ops_project.pipeline.recovery.decide.target import RestoreError


class StoreUnusable(RestoreError):
    """The store cannot be reached, read or written; the message names it and says why."""


class Absent(LookupError):
    """The store has nothing under this key."""


class Store(Protocol):
    """Bytes under keys. A key is parts with slashes between them, without a leading one."""

    @property
    def shown(self) -> str:
        """The store's name for people."""

    def put(self, key: str, data: bytes) -> None:
        """Write whole or not at all, in place of what was there. Raises StoreUnusable."""

    def get(self, key: str) -> bytes:
        """The bytes. Raises Absent or StoreUnusable."""

    def has(self, key: str) -> bool:
        """Whether something is there. Raises StoreUnusable."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`, sorted. Raises StoreUnusable."""

    def delete(self, key: str) -> None:
        """Remove it; nothing happens where it is absent. Raises StoreUnusable."""
