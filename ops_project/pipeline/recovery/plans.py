"""Stores the plans of backfills. The hash of a plan is the name of its file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ops_project.json_file import read_object
from ops_project.pipeline.recovery.decide.backfill import Plan
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings


@dataclass(frozen=True)
class Kept:
    """A plan, and when it was made."""

    plan: Plan
    made_at: datetime


def keep(settings: Settings, made: Plan) -> None:
    """Store the plan for the call that applies it."""
    file = _file(settings, made.hash)
    file.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(file, made.dump())


def recall(settings: Settings, plan_hash: str) -> Plan:
    """The plan with this hash. Raises RestoreError if there is no such plan, or if its file was changed."""
    try:
        found = Plan.load(read_object(_file(settings, plan_hash)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = sorted(path.stem for path in _file(settings, "x").parent.glob("*.json"))
        raise RestoreError(
            f"there is no plan {plan_hash!r}; there is: {', '.join(known) or 'none'}. Without --apply a plan is made"
        ) from None
    if found.hash != plan_hash:
        raise RestoreError(f"the file of plan {plan_hash} was changed: make the plan anew")
    return found


def every(settings: Settings) -> list[Kept]:
    """Every plan that can be read, newest first."""
    found = []
    for path in _file(settings, "x").parent.glob("*.json"):
        try:
            made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            found.append(Kept(recall(settings, path.stem), made_at))
        except (OSError, RestoreError):
            continue  # A plan that cannot be read cannot be applied either.
    return sorted(found, key=lambda item: item.made_at, reverse=True)


def _file(settings: Settings, plan_hash: str) -> Path:
    return settings.home / "state" / "backfills" / f"{plan_hash}.json"
