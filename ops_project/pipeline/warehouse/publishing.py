"""Publishes the gold tables that passed their checks, as Parquet files for consumers. A table that failed, or was not
rebuilt, keeps its last good file. The manifest then names the reason, the time and the consumers of the table.
Consumers follow the link `current`, which is changed last. So they see one publication or the next one, and never a
mixture.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ops_project.failures import Unusable
from ops_project.json_file import read_object
from ops_project.pipeline.warehouse import files
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.pipeline.warehouse.fingerprints import Fingerprint
from ops_project.process.kill_points import reach
from ops_project.process.removal import remove_folder
from ops_project.settings import Settings
from ops_project.sql_text import literal, relation

MANIFEST = "manifest.json"
CURRENT = "current"
PARTIAL = ".partial-"
_ID = re.compile(r"^\d{6}-")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishDecision:
    """Whether this run may publish a gold table, and which consumers read the table."""

    passed: bool
    reason: str
    """Why the table may not be published, in words. Empty if it may be published."""
    consumers: tuple[Mapping[str, Any], ...] = ()
    """The `name` and `owner` of each dbt exposure that reads the table."""


@dataclass(frozen=True)
class Publication:
    """One set of published files, with its manifest."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def held(self) -> dict[str, Mapping[str, Any]]:
        """Name → entry of each table whose consumers keep the last good file, or have no file yet."""
        return {name: entry for name, entry in self.manifest["tables"].items() if entry["state"] != "published"}


class PublicationUnusable(Unusable):
    """The manifest of a publication cannot be read. So nobody knows what consumers read, and which tables keep an older
    file.
    """

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"The publication {file} cannot be read: {reason}. It is unknown which tables its consumers read, and how "
            "old they are. The next run that builds tables of this domain publishes anew; or bring the file back "
            "from a "
            "backup (`ops backup list`)."
        )


def current(settings: Settings, domain: str) -> Publication | None:
    """The publication that consumers of this domain read now. None before the first publication. Raises
    PublicationUnusable.
    """
    folder = _current_folder(settings, domain)
    return None if folder is None else _read(folder)


def _current_folder(settings: Settings, domain: str) -> Path | None:
    pointer = settings.published / domain / CURRENT
    try:
        return pointer.resolve(strict=True)
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:  # For example, the link points to itself.
        raise PublicationUnusable(pointer, _reason(error)) from None


def _read(folder: Path) -> Publication:
    try:
        manifest = read_object(folder / MANIFEST)
        datetime.fromisoformat(manifest["as_of"])
        states = [entry["state"] for entry in manifest["tables"].values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PublicationUnusable(folder / MANIFEST, _reason(error)) from None
    if not all(isinstance(state, str) for state in states):
        raise PublicationUnusable(folder / MANIFEST, "it is not a manifest")
    return Publication(folder, manifest)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"it is not a manifest: {error}" if isinstance(error, ValueError) else "it is not a manifest"


def _newest_readable(settings: Settings, domain: str) -> Publication | None:
    """The publication on which a new one is based. It is the current one, or the newest earlier one that can be
    read.
    """
    try:
        return current(settings, domain)
    except PublicationUnusable as error:
        logger.warning("%s", error)
    root = settings.published / domain
    for folder in sorted((path for path in root.iterdir() if _ID.match(path.name)), reverse=True):
        with suppress(PublicationUnusable):
            return _read(folder)
    return None


def publish(
    warehouse: Warehouse,
    *,
    domain: str,
    verdicts: Mapping[str, PublishDecision],
    fingerprints: Mapping[str, Fingerprint],
    run_id: str,
    as_of: datetime,
    commit: str,
) -> Publication:
    """Publish the gold tables that `verdicts` names.

    `fingerprints`: `gold.<table>` → fingerprint, as in a snapshot.
    """
    root = warehouse.settings.published / domain
    root.mkdir(parents=True, exist_ok=True)
    before = _newest_readable(warehouse.settings, domain)
    ids = sorted(path.name for path in root.iterdir() if _ID.match(path.name))
    name = f"{int(ids[-1][:6]) + 1 if ids else 1:06d}-{run_id[:8]}"
    partial = root / f"{PARTIAL}{name}"
    folder = root / name
    stamp = {"as_of": as_of.isoformat(), "run_id": run_id, "commit": commit}
    entries = {}
    with files.whole(partial, folder):
        for table, verdict in sorted(verdicts.items()):
            last = _last(before, table)
            found = fingerprints.get(f"gold.{table}")
            if verdict.passed and found is not None:
                entry = (
                    _export(warehouse, partial, table, found=found, before=before, last=last)
                    | stamp
                    | {"state": "published"}
                )
            else:
                reason = verdict.reason or "the table does not exist in the warehouse"
                entry = _carry(partial, before, last) | {"reason": reason}
                kept = last is not None and last["state"] != "published"
                entry["since"] = last["since"] if last is not None and kept else as_of.isoformat()
            entries[table] = entry | {"consumers": [dict(consumer) for consumer in verdict.consumers]}
            reach(f"publish:{table}")
        manifest = {"id": name, "domain": domain, **stamp, "tables": entries}
        files.write_json(partial / MANIFEST, manifest)
    reach("publish:renamed")
    files.point(root / CURRENT, name)
    prune(warehouse.settings, domain, warehouse.platform.publishing.keep)
    return Publication(folder, manifest)


def prune(settings: Settings, domain: str, keep: int) -> list[str]:
    """Remove old publications. The newest `keep` publications and the current one stay. Returns the ids of the removed
    ones.
    """
    root = settings.published / domain
    now = _current_folder(settings, domain)
    ids = sorted(path.name for path in root.iterdir() if _ID.match(path.name))
    doomed = [name for name in ids[:-keep] if now is None or name != now.name]
    for name in doomed:
        remove_folder(root / name)
    return doomed


def remove_partial(settings: Settings) -> list[str]:
    """Remove what a killed run left: half-written folders, and complete ones to which the link was never changed."""
    if not settings.published.is_dir():
        return []
    removed = []
    for root in (path for path in settings.published.iterdir() if path.is_dir()):
        try:
            now = _current_folder(settings, root.name)
        except PublicationUnusable:
            continue  # Nobody knows which folder consumers read.
        for path in root.iterdir():
            unpublished = bool(_ID.match(path.name)) and (now is None or path.name > now.name)
            if path.name.startswith(PARTIAL) or unpublished:
                shutil.rmtree(path, ignore_errors=True)
                removed.append(f"{root.name}/{path.name}")
    return removed


def _last(before: Publication | None, table: str) -> Mapping[str, Any] | None:
    return None if before is None else before.manifest["tables"].get(table)


def _export(
    warehouse: Warehouse,
    folder: Path,
    table: str,
    *,
    found: Fingerprint,
    before: Publication | None,
    last: Mapping[str, Any] | None,
) -> dict[str, Any]:
    file = folder / f"{table}.parquet"
    columns = [list(column) for column in found.columns]
    same = last is not None and last.get("checksum") == found.checksum and last.get("columns") == columns
    if before is not None and last is not None and same and (before.folder / last["file"]).is_file():
        files.link(before.folder / last["file"], file)
    else:
        copy = f"COPY {relation(f'gold.{table}')} TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd)"
        warehouse.connection().execute(copy)
        files.sync(file)
    return {"file": file.name, "rows": found.rows, "checksum": found.checksum, "columns": columns}


def _carry(folder: Path, before: Publication | None, last: Mapping[str, Any] | None) -> dict[str, Any]:
    if before is None or last is None or not last.get("file"):
        return {"state": "never published", "file": None}
    files.link(before.folder / last["file"], folder / last["file"])
    kept = {key: last[key] for key in ("file", "rows", "checksum", "columns", "as_of", "run_id", "commit")}
    return kept | {"state": "carried forward"}
