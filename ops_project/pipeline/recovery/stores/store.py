"""The interface of a store."""

from __future__ import annotations

from typing import Protocol

from ops_project.pipeline.recovery.decide.target import RestoreError


class StoreUnusable(RestoreError):
    """The store cannot be reached, read or written. The message names the store and the reason."""


class Absent(LookupError):
    """The store has no value under this key."""


class Store(Protocol):
    """Bytes under keys. A key consists of parts with slashes between them, without a leading slash."""

    @property
    def shown(self) -> str:
        """The name of the store for people."""

    def put(self, key: str, data: bytes) -> None:
        """Write the bytes under the key, completely or not at all. Earlier bytes are replaced. Raises StoreUnusable."""

    def get(self, key: str) -> bytes:
        """The bytes under the key. Raises Absent or StoreUnusable."""

    def has(self, key: str) -> bool:
        """Whether the key exists. Raises StoreUnusable."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`, sorted. Raises StoreUnusable."""

    def delete(self, key: str) -> None:
        """Remove the key. A missing key is not an error. Raises StoreUnusable."""
