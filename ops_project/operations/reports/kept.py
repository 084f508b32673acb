"""Stores the facts of each report in `reports/` of the home, so that the report can be rendered again with the same
bytes.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ops_project.failures import Unusable
from ops_project.json_file import read_record
from ops_project.operations.reports.facts import ReportFacts
from ops_project.operations.reports.kinds import KINDS
from ops_project.settings import Settings

FOLDER = "reports"
_FILE = re.compile(r"^(\d{4}-\d\d-\d\d)\.json$")


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored report."""

    kind: str
    last: date
    path: Path


def path_of(settings: Settings, kind: str, last: date) -> Path:
    return settings.home / FOLDER / kind / f"{last}.json"


class ReportUnusable(Unusable):
    """The file of a stored report cannot be read. The message says which file, why, and what to do."""

    def __init__(self, file: Path, kind: str, last: date, reason: str) -> None:
        super().__init__(
            f"The kept report {file} cannot be read: {reason}. Bring it back from a backup (`ops backup list`), or "
            f"move it away: `ops report {kind} --date {last}` then draws it up anew, from what is known today."
        )


def load(settings: Settings, kind: str, last: date) -> ReportFacts | None:
    """The stored facts of a report; None if the report has never been made. Raises ReportUnusable."""
    file = path_of(settings, kind, last)
    try:
        return read_record(file, ReportFacts)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no report"
        raise ReportUnusable(file, kind, last, reason) from None


def is_kept(settings: Settings, kind: str, last: date) -> bool:
    """Whether the report has been made, even if its file cannot be read."""
    return os.path.lexists(path_of(settings, kind, last))


def keep(settings: Settings, facts: ReportFacts) -> ReportFacts:
    """Store the facts, unless another process has stored its own first. Returns the facts that are stored."""
    path = path_of(settings, facts.kind, date.fromisoformat(facts.last))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(facts.dump(), indent=1) + "\n", encoding="utf-8")
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return load(settings, facts.kind, date.fromisoformat(facts.last)) or facts


def listed(settings: Settings) -> list[Kept]:
    """All stored reports, the newest first."""
    found = [
        Kept(kind, date.fromisoformat(named[1]), path)
        for kind in KINDS
        for path in (settings.home / FOLDER / kind).glob("*.json")
        if (named := _FILE.match(path.name)) is not None
    ]
    return sorted(found, key=lambda item: (item.last, item.kind), reverse=True)
