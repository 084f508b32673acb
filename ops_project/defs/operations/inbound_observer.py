"""Observer of the inbound folders: reports files that match no contract. Without this report such files would wait for
ever. There is one signal for each folder, with the file names in its message. The signal ends when the files are gone
or match a contract.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.landing import LINKED, LINKED_FOLDER, unclaimed

KIND = "inbound.unclaimed"
SHOWN = 10
IN_TRANSFER = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".swp")
TRANSFER_TIME = timedelta(hours=1)
"""A file whose name says that its transfer is not finished is not reported until it is this old."""


def look(view: View) -> Observation:
    """A signal for each folder whose files without a contract differ from those in the last cycle."""
    before = {signal.check: signal for signal in view.ledger.latest(KIND).values()}
    found = _found(view)
    signals = []
    for folder in sorted({*found, *(name for name, signal in before.items() if signal.state == FIRING)}):
        names = found.get(folder, [])
        known = before.get(folder)
        message = _message(view, folder, names)
        if known is not None and (known.state == FIRING) == bool(names) and known.message == message:
            continue
        if known is None and not names:
            continue
        signals.append(
            Signal(
                kind=KIND,
                state=FIRING if names else OK,
                value=float(bool(names)),
                event_at=view.now,
                observed_at=view.now,
                occurrence=f"{digest(*names)}:{view.now.isoformat()}",
                check=folder,
                domain=folder if folder in view.catalog.domain_ids() else "",
                pipeline=view.catalog.domains.main_job(folder) if folder in view.catalog.domain_ids() else "",
                failure_class="config_error",
                owners=_owners(view, folder),
                message=message,
                labels={"files": str(len(names))},
            )
        )
    return Observation(signals)


def _found(view: View) -> dict[str, list[str]]:
    """Folder below inbound/ → names of files that match no contract; "." for files that lie in no folder."""
    inbound, domains = view.settings.inbound, view.catalog.domain_ids()
    if not inbound.is_dir():
        return {}
    found: dict[str, list[str]] = {}
    loose = [path.name for path in inbound.iterdir() if not path.is_dir() and not path.name.startswith(".")]
    if loose:
        found["."] = sorted(loose)
    folders = {path.name for path in inbound.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for folder in folders - view.catalog.switched_off:
        # In a folder that belongs to no domain, no file has a contract.
        feeds = view.catalog.feeds_of(folder) if folder in domains else []
        names = [
            name for name in unclaimed(feeds, inbound / folder) if not _in_transfer(inbound / folder, name, view.now)
        ]
        if names:
            found[folder] = names
    return found


def _in_transfer(folder: Path, name: str, now: datetime) -> bool:
    if not name.lower().endswith(IN_TRANSFER):
        return False
    try:
        return now.timestamp() - (folder / name).lstat().st_mtime < TRANSFER_TIME.total_seconds()
    except OSError:
        return True  # The file is gone already.


def _owners(view: View, folder: str) -> tuple[str, ...]:
    if folder not in view.catalog.domain_ids():
        return ()
    return tuple(view.catalog.owners.dagster(owner) for owner in view.catalog.domain(folder).owners)


def _message(view: View, folder: str, names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    place = "inbound/" if folder == "." else f"inbound/{folder}/"
    if folder == ".":
        return f"{place} holds {shown}: files belong in the folder of their domain, inbound/<domain>/"
    if names == [LINKED]:
        return f"inbound/{folder} {LINKED_FOLDER}"
    if folder not in view.catalog.domain_ids():
        return f"{place} holds {shown}: no domain has this name; valid: {', '.join(view.catalog.domain_ids())}"
    return f"{place} holds {shown}: no contract of {folder} takes a file of this name"
