"""The backups in a store: the place of each part, and the result of each backup's last proof. A store belongs to one
home. Otherwise a home with a wrong destination could remove the backups of another home.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ops_project.json_file import read_object
from ops_project.pipeline.recovery.backup.manifest import Manifest, dump_summary, load_summary
from ops_project.pipeline.recovery.decide.backups import Backup, Outcome, Proof
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.recovery.stores import Absent, Store
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings

BACKUPS, PROOFS, OBJECTS, OWNER = "backups/", "proofs/", "objects/", "home.json"
MANIFEST, SUMMARY = "manifest.json", "summary.json"


@dataclass(frozen=True)
class Shelf:
    """The backups of one store."""

    store: Store

    def backups(self) -> list[Backup]:
        """Every complete backup, oldest first. Raises StoreUnusable."""
        ids = {key.split("/")[1] for key in self.store.keys(BACKUPS) if key.endswith(f"/{MANIFEST}")}
        found = []
        for name in sorted(ids):
            try:
                found.append(load_summary(self.store.get(f"{BACKUPS}{name}/{SUMMARY}")))
            except (Absent, ValueError, KeyError, TypeError):
                # The summary can always be made from the manifest. It is stored only to save time.
                found.append(self.manifest(name).summary())
        return found

    def manifest(self, backup: str) -> Manifest:
        """The manifest of a backup. Raises RestoreError if the manifest is missing or damaged."""
        key = f"{BACKUPS}{backup}/{MANIFEST}"
        try:
            return Manifest.load(self.store.get(key), f"{self.store.shown}/{key}")
        except Absent:
            raise RestoreError(f"backup {backup} is not in {self.store.shown} any more") from None

    def proofs(self) -> dict[str, Proof]:
        """Backup → its last proof."""
        found = {}
        for key in self.store.keys(PROOFS):
            try:
                found[key.removeprefix(PROOFS).removesuffix(".json")] = _proof(json.loads(self.store.get(key)))
            except (Absent, ValueError, KeyError, TypeError):
                continue  # The result of this proof is not known, so the backup does not count as proved.
        return found

    def add(self, manifest: Manifest) -> None:
        """Write the manifest. The backup exists from this moment on."""
        folder = f"{BACKUPS}{manifest.id}/"
        self.store.put(folder + SUMMARY, dump_summary(manifest.summary()))
        self.store.put(folder + MANIFEST, manifest.dump())

    def judge(self, backup: str, proof: Proof) -> None:
        """Record the result of a proof."""
        self.store.put(f"{PROOFS}{backup}.json", json.dumps(asdict(proof), default=_plain).encode())

    def remove(self, backups: Collection[str]) -> int:
        """Remove these backups, and the objects that no other backup needs. Returns the number of removed objects. The
        manifests are removed first. If the process is killed after that, unneeded objects remain, and the next call
        removes them.
        """
        for name in backups:
            self.store.delete(f"{BACKUPS}{name}/{MANIFEST}")
            self.store.delete(f"{BACKUPS}{name}/{SUMMARY}")
            self.store.delete(f"{PROOFS}{name}.json")
        needed = {object_key(piece) for item in self.backups() for piece in self.manifest(item.id).pieces()}
        gone = [key for key in self.store.keys(OBJECTS) if key not in needed]
        for key in gone:
            self.store.delete(key)
        return len(gone)

    def claim(self, settings: Settings) -> str:
        """The identity of the home. At the first use of a store, the identity is written into the store. Raises
        RestoreError if the store belongs to another home.
        """
        mine = _identity(settings)
        try:
            owner = str(json.loads(self.store.get(OWNER))["home"])
        except Absent:
            mine = mine or uuid.uuid4().hex
            # The home records its identity first. In the reverse order, a process could be killed between the two
            # steps. The home would then take its own store for the store of another home.
            _remember_identity(settings, mine)
            self.store.put(OWNER, json.dumps({"home": mine}).encode())
            owner = mine
        except (ValueError, KeyError, TypeError):
            raise RestoreError(f"{self.store.shown}/{OWNER}, which says whose backups these are, is damaged") from None
        if mine != owner:
            raise RestoreError(
                f"{self.store.shown} holds the backups of another home. If this home is to take its place, put a "
                "backup into it first (`ops backup restore`), or choose another destination"
            )
        _remember_identity(settings, owner)
        return owner


def object_key(piece: str) -> str:
    """The key of a piece in the store."""
    return f"{OBJECTS}{piece[:2]}/{piece}"


@dataclass(frozen=True)
class Register:
    """The facts that a home stores about its backups, so that the age of the backups can be watched without access to
    the store.
    """

    destination: str
    since: datetime
    """When backups to this destination were first expected."""
    backups: tuple[Backup, ...] = ()
    proofs: dict[str, Proof] | None = None

    @property
    def last_proof(self) -> Proof | None:
        """The last proof of the newest backup that has a proof."""
        known = self.proofs or {}
        tried = [item.id for item in self.backups if item.id in known]
        return known[tried[-1]] if tried else None


def register(settings: Settings, destination: str, now: datetime) -> Register:
    """The facts about the backups at `destination` that the home has stored. If there are none, backups are expected
    from `now` on.
    """
    try:
        found = read_object(_file(settings))
        if found["destination"] == destination:
            return Register(
                destination,
                datetime.fromisoformat(found["since"]),
                tuple(load_summary(json.dumps(item).encode()) for item in found["backups"]),
                {name: _proof(item) for name, item in found["proofs"].items()},
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return Register(destination, now)


def expect(settings: Settings, destination: str, now: datetime) -> Register:
    """Does what `register` does. The first call also stores that backups are expected from `now` on."""
    found = register(settings, destination, now)
    if found.since == now:
        _write(settings, found)
    return found


def remember(settings: Settings, destination: str, shelf: Shelf, now: datetime) -> None:
    """Store in the home which backups and proofs the store contains now."""
    before = register(settings, destination, now)
    _write(settings, replace(before, backups=tuple(shelf.backups()), proofs=shelf.proofs()))


def _write(settings: Settings, found: Register) -> None:
    file = _file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    data = asdict(found)
    data["proofs"] = {name: json.loads(json.dumps(asdict(item), default=_plain)) for name, item in _known(found)}
    data["backups"] = [json.loads(dump_summary(item)) for item in found.backups]
    files.write_json(file, data)


def _known(found: Register) -> list[tuple[str, Proof]]:
    return sorted((found.proofs or {}).items())


def _proof(data: dict[str, Any]) -> Proof:
    return Proof(
        Outcome(data["outcome"]),
        datetime.fromisoformat(data["at"]),
        data["words"],
        float(data["seconds"]),
        tuple(data["damaged"]),
    )


def _plain(value: object) -> str:
    return str(value.value) if isinstance(value, Outcome) else str(value)


def _identity(settings: Settings) -> str | None:
    try:
        return _identity_file(settings).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeError):
        return None


def _remember_identity(settings: Settings, identity: str) -> None:
    file = _identity_file(settings)
    if _identity(settings) != identity:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(identity + "\n", encoding="utf-8")


def _identity_file(settings: Settings) -> Path:
    return settings.home / "state" / "home_id"


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "backups.json"
