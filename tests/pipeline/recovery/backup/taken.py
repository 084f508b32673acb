"""Takes backups for tests, and finds or withholds their objects."""

from __future__ import annotations

from pathlib import Path

from ops_project.pipeline.recovery.backup import rebuild
from ops_project.pipeline.recovery.backup import shelf as shelves
from ops_project.pipeline.recovery.backup.create import Taker, alone
from ops_project.pipeline.recovery.backup.manifest import Manifest
from ops_project.pipeline.recovery.backup.routine import routine
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.decide.backups import Proof
from ops_project.pipeline.recovery.stores import Store, StoreUnusable
from ops_project.settings import Settings
from tests.empty_home import NOW

ANYWHERE = "/anywhere"
BESIDE = ("-wal", "-shm")


def taken(taker: Taker, shelf: Shelf) -> tuple[Manifest, Proof | None]:
    with alone(taker.settings, "test", NOW, taker.tell):
        return routine(taker, shelf, ANYWHERE)


def object_of(shelf: Shelf, manifest: Manifest, suffix: str) -> str:
    [file] = [item for item in manifest.files if item.path.endswith(suffix)]
    return shelves.object_key(file.pieces[0])


class Unreachable:
    """A store that stops answering after the first `calls` reads of objects."""

    def __init__(self, store: Store, calls: int) -> None:
        self.store, self.calls = store, calls

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def get(self, key: str) -> bytes:
        if key.startswith(shelves.OBJECTS):
            self.calls -= 1
            if self.calls < 0:
                raise StoreUnusable("the store cannot be reached")
        return self.store.get(key)


def rebuilt(shelf: Shelf, manifest: Manifest, home: Path) -> Settings:
    settings = Settings(home=home, as_of=NOW)
    home.mkdir(exist_ok=True)
    rebuild.into_home(settings, shelf, manifest)
    return settings
