"""Versions of the code: which one is meant, what it builds differently, and whether it works here.

An earlier version is put into a folder of its own and tried there, before anything of the installation is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from ops_project.pipeline.dbt_engine import manifest as parsed
from ops_project.pipeline.dbt_engine.by_dates import code_of
from ops_project.pipeline.recovery.decide.rollback import Affected, affected
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.settings import Settings

MIGRATIONS = "ops_project/operations/ledger/migrations/versions"
LOCK = "requirements.lock"
LOAD_SECONDS = 300


@dataclass(frozen=True)
class Clone:
    """A clone of the project."""

    root: Path

    def resolve(self, text: str) -> str:
        """The full id of a commit. Raises RestoreError."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").strip()
        except RestoreError:
            newest = self._git("log", "--oneline", "-8").strip().replace("\n", "; ")
            raise RestoreError(f"there is no commit {text!r}; the newest: {newest}") from None

    def head(self) -> str:
        """The commit that is checked out."""
        return self.resolve("HEAD")

    def named_head(self) -> str:
        """The branch that is checked out, or the commit where none is."""
        name = self._git("rev-parse", "--abbrev-ref", "HEAD").strip()
        return self.head() if name == "HEAD" else name

    def dirty(self) -> list[str]:
        """Files that are changed and not committed; files that git does not know do not count."""
        lines = self._git("status", "--porcelain", "--untracked-files=no").splitlines()
        return [line[3:] for line in lines]

    def is_ancestor(self, earlier: str, later: str) -> bool:
        """Whether `later` was built on `earlier`; also where they are the same. Unknown commits are nobody's."""
        done = self._run("merge-base", "--is-ancestor", earlier, later)
        return done.returncode == 0

    def differs(self, earlier: str, later: str, path: str) -> bool:
        """Whether a file differs between two commits."""
        return self._run("diff", "--quiet", earlier, later, "--", path).returncode != 0

    def files(self, commit: str, folder: str) -> set[str]:
        """Names of the files directly in a folder of a commit."""
        lines = self._git("ls-tree", "--name-only", commit, f"{folder}/").splitlines()
        return {Path(line).name for line in lines}

    def put_into(self, commit: str, folder: Path) -> None:
        """The files of a commit, in a folder of their own."""
        done = subprocess.run(
            ["git", "-C", str(self.root), "archive", commit], capture_output=True, check=False, timeout=LOAD_SECONDS
        )
        if done.returncode:
            raise RestoreError(f"git could not read commit {commit}: {done.stderr.decode(errors='replace').strip()}")
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")

    def check_out(self, commit: str) -> None:
        """Make the installation that version."""
        self._git("checkout", "--quiet", "--detach", commit)

    def _git(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise RestoreError(f"git {arguments[0]}: {done.stderr.strip() or 'it failed'}")
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["git", "-C", str(self.root), *arguments],
                capture_output=True,
                text=True,
                check=False,
                timeout=LOAD_SECONDS,
            )
        except FileNotFoundError:
            raise RestoreError("git is needed to go back to an earlier version, and is not installed") from None


def clone_of(root: Path) -> Clone:
    """Raises RestoreError where the installation is no clone: then there is no history to go back along."""
    if not (root / ".git").exists():
        raise RestoreError(f"{root} is no clone of the project, so it has no earlier versions: install one by hand")
    return Clone(root)


def compare(then: Path, now: Path) -> Affected:
    """What two dbt projects build differently; parses both, which takes seconds where they are new."""
    old, new = parsed.load(then).json, parsed.load(now).json
    return affected(_codes(old), _codes(new), _children(old))


def rebuildable(project: Path, tables: Iterable[str]) -> list[str]:
    """Those of `tables` that the version may build from nothing: some hold what cannot be computed again."""
    lasting = {
        f"{node['schema']}.{node.get('alias') or node['name']}"
        for node in parsed.load(project).json["nodes"].values()
        if node["resource_type"] == "model" and node.get("config", {}).get("full_refresh") is False
    }
    return [name for name in tables if name not in lasting]


def loads(folder: Path, home: Path) -> str | None:
    """Load a version's definitions on an empty home, in a process of its own; what it said, None where it loaded.

    With the configuration folder of this process, which the version has to understand as well.
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
    """Keep the parse of the earlier dbt project for the installation: dbt's state is there before its first run."""
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
