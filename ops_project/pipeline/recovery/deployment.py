"""Compares versions of the code, and checks whether another version works here. An earlier version is written into a
separate folder and tried there. The installation is changed only after that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ops_project.pipeline.dbt_engine import manifest as parsed
from ops_project.pipeline.dbt_engine.by_dates import code_of
from ops_project.pipeline.recovery.decide.rollback import Affected, affected
from ops_project.settings import Settings

MIGRATIONS = "ops_project/operations/ledger/migrations/versions"
LOCK = "requirements.lock"
LOAD_SECONDS = 300


def compare(then: Path, now: Path) -> Affected:
    """The models that two dbt projects build differently. Both projects are parsed. This takes seconds for a content
    that is not parsed yet.
    """
    old, new = parsed.load(then).json, parsed.load(now).json
    return affected(_codes(old), _codes(new), _children(old))


def rebuildable(project: Path, tables: Iterable[str]) -> list[str]:
    """The tables that the version in `project` can build from nothing. Tables with rows that cannot be computed again
    are left out.
    """
    lasting = {
        f"{node['schema']}.{node.get('alias') or node['name']}"
        for node in parsed.load(project).json["nodes"].values()
        if node["resource_type"] == "model" and node.get("config", {}).get("full_refresh") is False
    }
    return [name for name in tables if name not in lasting]


def loads(folder: Path, home: Path) -> str | None:
    """Load a version's definitions on an empty home, in another process. Returns the error, or None if the definitions
    loaded. The other process reads the configuration folder of this process, because the version must be able to read
    that folder too.
    """
    (home / "dagster").mkdir(parents=True, exist_ok=True)
    with Settings(home=home).exported(PYTHONPATH=str(folder)):
        done = subprocess.run(
            [sys.executable, "-c", "import ops_project.definitions"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LOAD_SECONDS,
        )
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it failed"])[-1]


def keep_parse(then: Path, now: Path) -> None:
    """Copy the parsed dbt project of the earlier version into the installation. So the first run of this version need
    not parse it.
    """
    source = parsed.load(then).folder
    target = now / "target" / "parsed" / source.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{parsed.PARTIAL}{target.name}-{os.getpid()}")
        shutil.copytree(source, partial)
        partial.rename(target)


def _codes(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{node['schema']}.{node.get('alias') or node['name']}": code_of(manifest, node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def _children(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    names = {
        unique_id: f"{node['schema']}.{node.get('alias') or node['name']}"
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    return {
        name: [names[child] for child in manifest["child_map"].get(unique_id, ()) if child in names]
        for unique_id, name in names.items()
    }
