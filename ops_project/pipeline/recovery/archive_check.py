"""Compares archived files with the hashes that landing wrote into its journal. A replay reads the archive, and a lost
warehouse is built again from the archive. So somebody must notice an altered or removed file before it is needed.

The journal is read from the newest snapshot. So a check never waits for a run, and no run waits for a check. The result
is stored in `state/archive.json`, where the alert cycle reads it. Nothing is repaired.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ops_project.counted import counted
from ops_project.json_file import read_object, record
from ops_project.pipeline.landing.inbox import NotRegular, open_regular
from ops_project.pipeline.recovery.decide.archive_share import ArchivedFile, oldest, share
from ops_project.pipeline.warehouse import files, snapshots
from ops_project.process import locks
from ops_project.settings import Settings

CHUNK = 4 * 1024 * 1024
# Several processes may ask for the share of the same night. After the comparison of a share has begun, no other one
# begins for this time.
NIGHT = timedelta(hours=20)
# Results are stored this often, so that a check that is interrupted loses little work.
KEEP_SECONDS = 30.0


@dataclass(frozen=True)
class Damage:
    """An archived file that differs from the one that landing archived."""

    path: str
    domain: str
    feed: str
    file_name: str
    business_date: str
    batch_id: str
    what: str
    """The difference, in words."""
    since: str
    """When the damage was first found (ISO 8601, UTC)."""


@dataclass
class Checked:
    """The result of one check."""

    compared: int = 0
    bytes: int = 0
    files: int = 0
    """The number of files of the requested feeds that the journal knows."""
    damaged: list[Damage] = field(default_factory=list)
    """Every file of the requested feeds that is known to be damaged."""
    mended: list[str] = field(default_factory=list)
    """Paths that were damaged and are intact again."""
    oldest: datetime | None = None
    """The earliest of the times at which the files were last compared; None if there is no file."""


def archived(settings: Settings) -> list[ArchivedFile]:
    """The files that landing has archived, as the newest snapshot lists them. Empty if nothing was ever landed."""
    try:
        snapshot = snapshots.newest(settings)
    except snapshots.NoSnapshot:
        return []
    connection = snapshots.open(snapshot)
    try:
        rows = connection.execute(
            """
            SELECT archive_path, domain, feed, file_name, business_date, batch_id, sha256, size_bytes, loaded_at
            FROM ops.batches WHERE archive_path IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY archive_path ORDER BY load_seq) = 1
            ORDER BY load_seq
            """
        ).fetchall()
    except duckdb.CatalogException:  # Nothing had been landed when this snapshot was taken.
        return []
    finally:
        connection.close()
    return [
        ArchivedFile(
            path=path,
            domain=domain,
            feed=feed,
            file_name=file_name,
            business_date=day,
            batch_id=batch,
            sha256=sha256,
            size=size,
            landed_at=landed_at.replace(tzinfo=UTC),
        )
        for path, domain, feed, file_name, day, batch, sha256, size, landed_at in rows
    ]


def verify(
    settings: Settings, now: datetime, feed: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Checked:
    """Compare every archived file, or only those of `feed`.

    `progress`: is called with the number of compared files and the number of files to compare.
    """
    with _alone(settings, now):
        state, known = _State.read(settings), archived(settings)
        asked = [file for file in known if feed in (None, file.feed)]
        return _check(settings, state, known, asked, now, feed=feed, progress=progress)


def verify_share(settings: Settings, now: datetime) -> Checked | None:
    """Compare this night's share of the archive. None if there is no archive, or if the last share was begun less than
    `NIGHT` ago.
    """
    if not settings.archive.is_dir():
        return None
    with _alone(settings, now):
        state = _State.read(settings)
        if state.last_share is not None and abs(now - state.last_share) < NIGHT:
            return None
        known = archived(settings)
        state.last_share = now
        return _check(settings, state, known, share(known, state.verified, state.damaged), now)


def damaged(settings: Settings) -> list[Damage]:
    """The files that a check found damaged and that no later check found intact."""
    return list(_State.read(settings).damaged.values())


def _alone(settings: Settings, now: datetime) -> AbstractContextManager[None]:
    return locks.hold(settings.home / "state" / "archive.lock", owner="archive check", now=now)


def _check(
    settings: Settings,
    state: _State,
    known: list[ArchivedFile],
    asked: list[ArchivedFile],
    now: datetime,
    *,
    feed: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Checked:
    state.forget_others(known)
    result = Checked(files=sum(1 for file in known if feed in (None, file.feed)))
    kept = time.monotonic()
    for file in asked:
        what = _difference(settings, file)
        before = state.damaged.pop(file.path, None)
        result.compared += 1
        result.bytes += file.size
        if what is None:
            state.verified[file.path] = now
            if before is not None:
                result.mended.append(file.path)
        else:
            since = before.since if before is not None else now.isoformat()
            day = file.business_date.isoformat()
            state.damaged[file.path] = Damage(
                path=file.path,
                domain=file.domain,
                feed=file.feed,
                file_name=file.file_name,
                business_date=day,
                batch_id=file.batch_id,
                what=what,
                since=since,
            )
        if progress is not None:
            progress(result.compared, len(asked))
        if time.monotonic() - kept > KEEP_SECONDS:
            state.write(settings)
            kept = time.monotonic()
    state.write(settings)
    result.damaged = [item for item in state.damaged.values() if feed in (None, item.feed)]
    result.oldest = oldest([file for file in known if feed in (None, file.feed)], state.verified)
    return result


def _difference(settings: Settings, file: ArchivedFile) -> str | None:
    """What is wrong with an archived file, in words; None if it is intact."""
    digest, size = hashlib.sha256(), 0
    try:
        with open_regular(settings.archive / file.path) as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except NotRegular:
        return "is not a regular file any more"
    except (FileNotFoundError, NotADirectoryError):
        if (settings.inbound / file.domain / file.file_name).is_file():
            return None  # A run was interrupted before it archived the file. The next run archives it.
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if digest.hexdigest() == file.sha256:
        return None
    if size != file.size:
        return f"was altered: it has {counted(size, 'byte')} and had {file.size:,}"
    return f"was altered: its hash is {digest.hexdigest()[:12]}… and was {file.sha256[:12]}…"


@dataclass
class _State:
    """The content of `state/archive.json`."""

    verified: dict[str, datetime] = field(default_factory=dict)
    damaged: dict[str, Damage] = field(default_factory=dict)
    last_share: datetime | None = None

    @classmethod
    def read(cls, settings: Settings) -> _State:
        """The stored state. If the file is missing or cannot be read, the state is empty. Then every file is compared
        again in its turn.
        """
        try:
            found = read_object(_file(settings))
            return cls(
                {path: datetime.fromisoformat(moment) for path, moment in found["verified"].items()},
                {item.path: item for item in (record(entry, Damage) for entry in found["damaged"])},
                datetime.fromisoformat(found["last_share"]) if found["last_share"] else None,
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def forget_others(self, known: list[ArchivedFile]) -> None:
        """Forget the files that the journal no longer knows."""
        paths = {file.path for file in known}
        self.verified = {path: moment for path, moment in self.verified.items() if path in paths}
        self.damaged = {path: item for path, item in self.damaged.items() if path in paths}

    def write(self, settings: Settings) -> None:
        file = _file(settings)
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(
            file,
            {
                "verified": {path: moment.isoformat() for path, moment in self.verified.items()},
                "damaged": [asdict(item) for item in self.damaged.values()],
                "last_share": self.last_share.isoformat() if self.last_share is not None else None,
            },
        )


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "archive.json"
