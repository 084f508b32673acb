"""A folder as the store of backups, for example on another disk or a network share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops_project.pipeline.recovery.stores.store import Absent, StoreUnusable
from ops_project.pipeline.warehouse import files

PARTIAL = ".partial-"


class FolderStore:
    """One file for each key. The folder is made when the first key is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def shown(self) -> str:
        return str(self.root)

    def put(self, key: str, data: bytes) -> None:
        with self._told():
            target = self.root / key
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f"{PARTIAL}{target.name}.{os.getpid()}")
            with partial.open("wb") as writer:
                writer.write(data)
                writer.flush()
                os.fsync(writer.fileno())
            partial.rename(target)
            files.sync_folder(target.parent)

    def get(self, key: str) -> bytes:
        with self._told():
            try:
                return (self.root / key).read_bytes()
            except FileNotFoundError:
                raise Absent(key) from None

    def has(self, key: str) -> bool:
        with self._told():
            return (self.root / key).is_file()

    def keys(self, prefix: str) -> list[str]:
        with self._told():
            folder = self.root / prefix.rpartition("/")[0]
            found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(PARTIAL))
            return sorted(key for path in found if (key := path.relative_to(self.root).as_posix()).startswith(prefix))

    def delete(self, key: str) -> None:
        with self._told():
            (self.root / key).unlink(missing_ok=True)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnusable(f"the backup folder {self.root} cannot be used: {error.strerror or error}") from error
