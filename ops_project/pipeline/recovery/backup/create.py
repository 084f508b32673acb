"""Takes a backup. Under the writer's lock, the newest snapshot and the rest of the home are kept unchanged. Then they
are sent to the store. Each object is named by the SHA-256 of its bytes, so an object that the store already has is not
sent again.

The manifest is written last. If the process is killed before that, the backup does not exist. The next backup uses the
objects that were already sent.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ops_project.counted import counted
from ops_project.model.platform import Platform
from ops_project.pipeline.recovery.backup.contents import Contents, Part, stage
from ops_project.pipeline.recovery.backup.manifest import File, Manifest
from ops_project.pipeline.recovery.backup.shelf import Shelf, object_key
from ops_project.pipeline.recovery.databases.outside import NOTHING, Outside
from ops_project.pipeline.recovery.decide.backups import next_id
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.process import locks
from ops_project.process.kill_points import reach
from ops_project.settings import Settings

PIECE_BYTES = 16 * 1024 * 1024
"""The size of the pieces in which a file is sent. The pieces of a warehouse that did not change are not sent again."""
STAGED = ".backup-"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Taker:
    """Who takes a backup, and when."""

    settings: Settings
    platform: Platform
    by: str
    now: datetime
    commit: str
    tell: Tell = lambda _words: None
    outside: Outside = NOTHING
    """The parts of the home that are not in its folder."""


@contextmanager
def alone(settings: Settings, owner: str, now: datetime, tell: Tell) -> Iterator[None]:
    """Only one process at a time may take, prove or remove backups of a home. The others wait here."""
    with locks.hold(
        settings.home / "backup.lock", owner=owner, now=now, on_wait=lambda holder: tell(f"waiting for {holder}")
    ):
        for path in settings.home.glob(f"{STAGED}*"):
            shutil.rmtree(path, ignore_errors=True)
        yield


def create(taker: Taker, shelf: Shelf) -> Manifest:
    """Take a backup. Call this within `alone`. Raises RestoreError, and WarehouseUnusable if there is no sound
    warehouse.
    """
    settings = taker.settings
    identity = shelf.claim(settings)
    known = shelf.backups()
    name = next_id(known, uuid.uuid4().hex[:8])
    folder = settings.home / f"{STAGED}{name}"
    folder.mkdir()
    try:
        contents, snapshot = _hold_still(taker, folder, name)
        reach("backup:staged")
        before = shelf.manifest(known[-1].id) if known else None
        sender = _Sender(shelf, before, {piece for proof in shelf.proofs().values() for piece in proof.damaged})
        sent = []
        for number, part in enumerate(contents.parts, start=1):
            sent.append(sender.send(part))
            if number % 100 == 0 or number == len(contents.parts):
                taker.tell(
                    f"{number:,} of {counted(len(contents.parts), 'file')}, {counted(sender.new_bytes, 'new byte')}"
                )
        reach("backup:sent")
        manifest = Manifest(
            id=name,
            at=taker.now,
            by=taker.by,
            home=identity,
            commit=taker.commit,
            engine=duckdb.__version__,
            snapshot=snapshot.id if snapshot else None,
            load_seq=snapshot.manifest.get("load_seq", 0) if snapshot else 0,
            as_of=snapshot.as_of if snapshot else None,
            good=snapshot.good if snapshot else True,
            files=tuple(sent),
            links=contents.links,
            folders=tuple(contents.folders),
            sqlite=contents.sqlite,
            databases=contents.databases,
            elsewhere=tuple(contents.elsewhere),
            left_to_others=taker.outside.left_to_others,
            unreadable=tuple(contents.unreadable),
            new_bytes=sender.new_bytes,
        )
        shelf.add(manifest)
        reach("backup:written")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _hold_still(taker: Taker, folder: Path, name: str) -> tuple[Contents, snapshots.Snapshot | None]:
    settings = taker.settings

    def on_wait(holder: locks.Holder | None) -> None:
        taker.tell(f"waiting for {holder or 'another process'}")

    with writer(settings, taker.platform, owner="ops backup create", now=taker.now, on_wait=on_wait) as warehouse:
        unfinished = snapshots.unfinished(settings)
        if settings.warehouse.is_file() and (unfinished or snapshots.is_behind(settings)):
            # A run that was killed has landed files. They are no longer in the inbound folder, and no snapshot contains
            # their rows.
            snapshots.take(
                warehouse,
                run_id=f"backup-{name}",
                as_of=taker.now,
                commit=taker.commit,
                domain=min(unfinished, default="") or None,
                good=False,
                whole=False,
                replaced=True,
            )
        warehouse.close()
        kept = snapshots.existing(settings)
        newest = kept[-1] if kept else None
        return stage(settings, folder, newest, taker.outside), newest


class _Sender:
    """Sends the objects that the store does not have."""

    def __init__(self, shelf: Shelf, before: Manifest | None, damaged: set[str]) -> None:
        self.store = shelf.store
        self.damaged = damaged
        self.new_bytes = 0
        self._before = {file.path: file for file in before.files} if before else {}
        self._there = set(before.pieces()) - damaged if before else set()

    def send(self, part: Part) -> File:
        stat = part.source.stat()
        old = self._before.get(part.path)
        if (
            part.immutable
            and old is not None
            and (old.size, old.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
            and self._there.issuperset(old.pieces)
        ):
            return old
        pieces = []
        with part.source.open("rb") as reader:
            while data := reader.read(PIECE_BYTES):
                pieces.append(self._put(data))
        return File(
            path=part.path,
            size=stat.st_size,
            mode=stat.st_mode & 0o777,
            mtime_ns=stat.st_mtime_ns,
            pieces=tuple(pieces),
            kind=part.kind,
        )

    def _put(self, data: bytes) -> str:
        piece = hashlib.sha256(data).hexdigest()
        if piece not in self._there:
            key = object_key(piece)
            if piece in self.damaged or not self.store.has(key):
                self.store.put(key, data)
                self.new_bytes += len(data)
            self._there.add(piece)
        return piece
