"""Keeps the facts of each report in `reports/` of the home, so that it can be rendered again with the same bytes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ops_project.operations.reports.facts import ReportFacts
from ops_project.operations.reports.kinds import KINDS
from ops_project.settings import Settings

FOLDER = "reports"
_FILE = re.compile(r"^(\d{4}-\d\d-\d\d)\.json$")


@dataclass(frozen=True, slots=True)
class Kept:
    """One report that is kept."""

    kind: str
    last: date
    path: Path


def path_of(settings: Settings, kind: str, last: date) -> Path:
    return settings.home / FOLDER / kind / f"{last}.json"


def load(settings: Settings, kind: str, last: date) -> ReportFacts | None:
    """The stored facts; None if the report was never drawn up."""
    try:
        return ReportFacts.parse(json.loads(path_of(settings, kind, last).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def keep(settings: Settings, facts: ReportFacts) -> ReportFacts:
    """Store the facts, unless another process stored its own first. Returns the facts that are stored."""
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
    """Every report that is kept, the newest first."""
    found = [
        Kept(kind, date.fromisoformat(named[1]), path)
        for kind in KINDS
        for path in (settings.home / FOLDER / kind).glob("*.json")
        if (named := _FILE.match(path.name)) is not None
    ]
    return sorted(found, key=lambda item: (item.last, item.kind), reverse=True)
