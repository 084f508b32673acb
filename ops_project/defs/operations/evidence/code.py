"""How the code and the configuration differ from those of the last good run, with the changed lines. Changes are shown
for the parts upstream: the SQL of the tables concerned, the macros that it calls, the contracts, and the Python of the
domains. All other changes are only counted.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops_project.catalog import versions
from ops_project.counted import counted
from ops_project.defs.operations.evidence.snapshot import compared, line, since_good
from ops_project.defs.operations.evidence.tables import changes_of_tables
from ops_project.masking import mask
from ops_project.operations.diagnosis.evidence import Item, Scene
from ops_project.pipeline.warehouse.snapshots import Snapshot
from ops_project.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings
from ops_project.visible import visible

FOLDERS = ("dbt_project", "ops_project", "asset_checks")
GIT_SECONDS = 2.0
FILES, LINES, LONGEST_LINE = 6, 24, 200
ALWAYS = ("platform.yaml", "domains.yaml", "checks.yaml", "reconciliations.yaml")
"""Files of the configuration that affect every table."""
_MACRO = re.compile(r"{%-?\s*(?:macro|test)\s+(\w+)")


@dataclass(frozen=True)
class Concerned:
    """The names of the parts upstream of a table. A changed file with one of these names may affect the table."""

    tables: frozenset[str]
    """The names of tables without their schemas."""
    domains: frozenset[str]
    macros: frozenset[str] = frozenset()
    """The paths of files with macros that the tables use, from the root of the project."""

    def by(self, path: str) -> bool:
        """Whether a file of the code may affect the tables. `path` begins at the root of the project."""
        parts = PurePosixPath(path).parts
        if path in self.macros or path == "dbt_project/dbt_project.yml":
            return True
        if parts[:2] in (("dbt_project", "models"), ("dbt_project", "tests")):
            return PurePosixPath(path).stem in self.tables
        if parts[:2] == ("ops_project", "defs"):
            return len(parts) > 3 and parts[2] in self.domains
        if parts[:1] == ("asset_checks",):
            return PurePosixPath(path).stem in self.domains
        return parts[:2] == ("ops_project", "config") and self.by_configuration("/".join(parts[2:]))

    def by_configuration(self, name: str) -> bool:
        """Whether a file of the configuration may affect the tables. `name` begins at the configuration's folder."""
        path = PurePosixPath(name)
        if path.parts[0] in ("feeds", "metadata"):
            return bool(self.domains & {path.stem, *path.parts[1:-1]})
        if path.parts[0] in ("models", "tests"):
            return path.stem in self.tables
        return path.parts[0] == "macros" or name in ALWAYS or f"{path.parts[0].removesuffix('.d')}.yaml" in ALWAYS


def items_of_code(scene: Scene) -> Iterator[Item]:
    """The code and the configuration of the run, and how they differ from those of the last good run."""
    now, before = compared(scene)
    if now is None:
        return
    bad = next(iter(since_good(scene)), now)
    text = f"commit {_commit(bad)[:12]}, {_configuration(bad)}"
    if before is not None and (_commit(before), _configuration(before)) != (_commit(bad), _configuration(bad)):
        text += f"; at the last good run commit {_commit(before)[:12]}, {_configuration(before)}"
    changed = [change.what for change in changes_of_tables(scene) if change.kind in ("code", "schema")]
    said = f"changed since the last good run: {'; '.join(changed)}" if changed else "nothing changed upstream"
    if before is None:
        said = "no snapshot of an earlier good run is kept to compare it with"
    yield Item("Code", line(f"{text}; {said}"), f"snapshot {bad.id}", "ops lineage --versions")
    if before is not None:
        concerned = _concerned(scene)
        yield from _of_configuration(scene.settings, concerned, before, bad)
        yield from _of_commits(concerned, before, bad, bool(changed))


def _of_configuration(settings: Settings, concerned: Concerned, before: Snapshot, bad: Snapshot) -> Iterator[Item]:
    was, here = before.manifest.get("config") or {}, bad.manifest.get("config") or {}
    if not was or not here:
        # One of the two snapshots has no configuration to compare, because an earlier version or a restore made it. The
        # item `Code` says that its configuration is unknown.
        return
    names = versions.changed(was, here)
    between = f"snapshots {before.id} and {bad.id}"
    near = [name for name in names if concerned.by_configuration(name)]
    for name in near[:FILES]:
        try:
            lines = versions.difference(settings, name, was, here)
        except OSError as error:
            lines = [f"its versions cannot be read: {error.strerror or error}"]
        yield Item(f"Configuration change of {name}", _block(lines), between)
    yield from _others("Configuration change", names, near, between)


def _of_commits(concerned: Concerned, before: Snapshot, bad: Snapshot, tables_changed: bool) -> Iterator[Item]:
    from ops_project.pipeline.recovery.clone import clone_of
    from ops_project.pipeline.recovery.decide.target import RestoreError

    earlier, later = _commit(before), _commit(bad)
    if earlier == later and not tables_changed:
        return
    title = "Code change"
    try:
        clone = clone_of(PROJECT_ROOT)
        for commit in (earlier, later):
            if not clone.has(commit, GIT_SECONDS):
                yield Item(
                    title, f"commit {commit[:12]} is not in the repository: what has changed is not known", "git"
                )
                return
        # If the commit is the same but the SQL differs, the change is not committed.
        end = later if earlier != later else None
        between = f"git diff {earlier[:12]}{f' {later[:12]}' if end else ''}"
        names = clone.changed(earlier, end, FOLDERS, GIT_SECONDS)
        near = [name for name in names if concerned.by(name)]
        for name in near[:FILES]:
            shown = clone.diff(earlier, end, [name], GIT_SECONDS).splitlines()
            lines = [text for text in shown if not text.startswith(("diff --git", "index ", "--- ", "+++ "))]
            yield Item(f"{title} of {name}", _block(lines), between, f"{between} -- {name}")
        yield from _others(title, names, near, between)
        if end is None and names:
            yield Item(title, "these changes are not committed", between)
    except RestoreError as error:
        yield Item(title, line(f"what has changed is not known: {error}"), "git")
    except subprocess.TimeoutExpired:
        yield Item(title, f"what has changed is not known: git took longer than {GIT_SECONDS:g} s", "git")


def _others(title: str, names: Collection[str], near: Collection[str], source: str) -> Iterator[Item]:
    left = [name for name in names if name not in near] + list(near)[FILES:]
    if left:
        more = f" and {len(left) - FILES} more" if len(left) > FILES else ""
        words = "file that has changed is" if len(left) == 1 else "files that have changed are"
        yield Item(title, line(f"{len(left)} {words} not shown: {', '.join(left[:FILES])}{more}"), source)


def _concerned(scene: Scene) -> Concerned:
    assets = {scene.assets[0], *scene.lineage.ancestors(scene.assets[0])}
    tables = frozenset(asset.rpartition("/")[2] for asset in assets)
    domains = frozenset(domain for asset in assets if (domain := scene.lineage.get(asset).domain))
    models = [path for path in (DBT_PROJECT_DIR / "models").rglob("*.sql") if path.stem in tables]
    macros = {path: _text(path) for path in (DBT_PROJECT_DIR / "macros").rglob("*.sql")}
    called = called_macros((_text(path) for path in models), {_name(path): text for path, text in macros.items()})
    return Concerned(tables, domains, called)


def called_macros(models: Iterable[str], macros: Mapping[str, str]) -> frozenset[str]:
    """The paths of the macros that the models' SQL calls, directly or through another macro.

    `models`: the SQL of each model.

    `macros`: path → text of each file of macros.
    """
    defined = {name: path for path, text in macros.items() for name in _MACRO.findall(text)}
    found: set[str] = set()
    waiting = list(models)
    while waiting:
        for word in set(re.findall(r"\w+", waiting.pop())) & defined.keys():
            if defined[word] not in found:
                found.add(defined[word])
                waiting.append(macros[defined[word]])
    return frozenset(found)


def _commit(snapshot: Snapshot) -> str:
    return str(snapshot.manifest.get("commit") or "unknown")


def _configuration(snapshot: Snapshot) -> str:
    files = snapshot.manifest.get("config") or {}
    return f"configuration {versions.one_digest(files)[:12]}" if files else "configuration unknown"


def _block(lines: Collection[str]) -> str:
    """The lines as one masked text, with control characters replaced by escapes."""
    shown = [text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…" for text in list(lines)[:LINES]]
    if len(lines) > LINES:
        shown.append(f"… {counted(len(lines) - LINES, 'more line')}")
    return visible(mask("\n".join(shown)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _name(path: Path) -> str:
    return f"dbt_project/{path.relative_to(DBT_PROJECT_DIR).as_posix()}"
