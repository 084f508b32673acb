"""The parsed dbt project, stored so that each content is parsed only once. dbt alone would spend 3–4 s of a 7 s build
on its start and the parse. The result of a parse is stored below the project's `target/`, in a folder named by a hash
of all its inputs. So only a changed project is parsed again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ops_project.pipeline.dbt_engine.compile import compile_all
from ops_project.pipeline.dbt_engine.to_run import unpack
from ops_project.process import collector
from ops_project.process.removal import remove_folder
from ops_project.settings import DBT_PROJECT_DIR

FOLDERS = ("models", "macros", "tests", "seeds", "snapshots", "analyses")
PROJECT = "dbt_project.yml"
FILES = (PROJECT, "profiles.yml", "packages.yml", "dependencies.yml", "selectors.yml")
PACKAGES = ("dbt-core", "dbt-duckdb", "dbt-adapters", "dbt-common", "sqlglot")
# The version of the layout of a stored folder. A folder of an earlier layout is not used, and its project is parsed
# again.
LAYOUT = 4
KEEP = 4
MADE = "with_overlay"
"""The folder in the shipped project's `target/` that holds the projects with the files of an overlay."""
# How long a process waits for the parse of another one. A parse takes 4 s, and up to 40 s on a busy machine.
PATIENCE_SECONDS = 120.0
# No parse takes this long. If the folder of a parse is older, its process id now belongs to another process.
LONGEST_PARSE_SECONDS = 24 * 3600.0
PARTIAL = ".partial-"
MANIFEST_JSON = "manifest.json"
MANIFEST_OBJECT = "manifest.msgpack"
TO_RUN = "to_run.msgpack"
COMPILED = "compiled.json"


@dataclass(frozen=True)
class DbtManifest:
    """One parsed content of the dbt project."""

    folder: Path
    project_dir: Path = field(default=DBT_PROJECT_DIR)

    @property
    def key(self) -> str:
        """Hash of the content of the dbt project. The stored folder has this name."""
        return self.folder.name

    @cached_property
    def json(self) -> dict[str, Any]:
        """The content of manifest.json, which Dagster reads. All callers share it, so none may change it."""
        return _json(self.folder / MANIFEST_JSON)

    @cached_property
    def without_unit_tests(self) -> dict[str, Any]:
        """The content of manifest.json without the unit tests. For each selection of models, dagster_dbt makes an
        object of each unit test and never uses it. This took 0.06 s of the 0.38 s in which the definitions load.
        """
        tests = self.json.get("unit_tests", {}).keys()
        maps = {
            name: {
                node: [other for other in others if other not in tests]
                for node, others in self.json[name].items()
                if node not in tests
            }
            for name in ("child_map", "parent_map")
        }
        return {**self.json, **maps, "unit_tests": {}}

    @cached_property
    def compiled(self) -> dict[str, str]:
        """unique_id → the SQL of every model, compiled against an empty database."""
        body: dict[str, str] = json.loads((self.folder / COMPILED).read_text(encoding="utf-8"))
        return body

    def object(self) -> Any:
        """dbt's own Manifest with everything that the parse found. Each call makes a new Manifest, because dbt changes
        its content.
        """
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        body = (self.folder / MANIFEST_OBJECT).read_bytes()
        # The format is msgpack, which dbt's own partial parse uses too. A pickled Manifest would come back with wrong
        # positions in its lookups. The garbage collector does not run meanwhile, because nearly all of the many new
        # objects stay in use. Searching them took 0.1 s of 0.2 s.
        with collector.held_up():
            return Manifest.from_msgpack(body, decoder=extended_mashumuro_decoder)

    def to_run(self, select: Sequence[str] | None = None) -> Any:
        """dbt's own Manifest without the parts that only a parse and unit tests need, and without the tests of domains
        that `select` does not name (`to_run.Packed`). Each call makes a new Manifest, because a run changes it.
        """
        with collector.held_up():
            return unpack(self.folder / TO_RUN).manifest(select)


@lru_cache(maxsize=2)
def _json(path: Path) -> dict[str, Any]:
    """The content of the file `path`. It is kept in memory: the folder is named by a hash of the project, so the file
    never changes.
    """
    import orjson

    body: dict[str, Any] = orjson.loads(path.read_bytes())
    return body


def load(project_dir: Path = DBT_PROJECT_DIR) -> DbtManifest:
    """The parsed project. A content that was never parsed is parsed first. Raises DbtParseError."""
    root = project_dir / "target" / "parsed"
    folder = root / content_key(project_dir)
    if not (folder / COMPILED).is_file():
        root.mkdir(parents=True, exist_ok=True)
        with _turn(root / ".lock", folder):
            if not (folder / COMPILED).is_file():
                _parse(project_dir, folder)
                _prune(root, keep=folder.name)
    return DbtManifest(folder, project_dir)


def content_key(project_dir: Path) -> str:
    """Hash of every file of the project that dbt reads, and of the versions of the packages that parse them."""
    digest = hashlib.sha256(f"layout={LAYOUT};".encode())
    for package in PACKAGES:
        digest.update(f"{package}={version(package)};".encode())
    for path in _sources(project_dir):
        digest.update(f"{path.relative_to(project_dir).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _sources(project_dir: Path) -> list[Path]:
    found = [project_dir / name for name in FILES if (project_dir / name).is_file()]
    for name in FOLDERS:
        found += [path for path in (project_dir / name).rglob("*") if path.is_file()]
    return sorted(found)


def _parse(project_dir: Path, folder: Path) -> None:
    partial = folder.with_name(f"{PARTIAL}{folder.name}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        parsed = compile_all(project_dir, partial, _newest(project_dir))
        (partial / MANIFEST_OBJECT).write_bytes(parsed.manifest)
        (partial / TO_RUN).write_bytes(parsed.to_run)
        (partial / COMPILED).write_text(json.dumps(parsed.compiled), encoding="utf-8")
        for path in partial.iterdir():
            if path.name not in {MANIFEST_JSON, MANIFEST_OBJECT, TO_RUN, COMPILED}:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        try:
            partial.rename(folder)
        except OSError:
            if not (folder / COMPILED).is_file():  # Another process has parsed the same content meanwhile.
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _newest(project_dir: Path) -> bytes | None:
    """dbt's Manifest of the stored content that is probably most like the present one. The newest one is taken, from
    this project, the shipped project or a project with an overlay. A content with the same dbt_project.yml is
    preferred, because dbt reads everything again if that file differs.
    """

    def unlike(project: Path) -> bool:
        return (project / PROJECT).read_bytes() != configuration

    configuration = (project_dir / PROJECT).read_bytes()
    found = []
    for project in {project_dir, DBT_PROJECT_DIR, *(DBT_PROJECT_DIR / "target" / MADE).glob("[!.]*")}:
        with suppress(OSError):  # Another process has just removed the folder.
            parsed = list((project / "target" / "parsed").glob(f"[!.]*/{MANIFEST_OBJECT}"))
            found += [(unlike(project), _age(path), path) for path in parsed]
    for _, _, path in sorted(found):
        with suppress(OSError):
            return path.read_bytes()
    return None


def _prune(root: Path, keep: str) -> None:
    """Remove all but the newest contents, and the folders of parsers that died. The folder of a parser that still runs
    is kept.
    """
    aged = sorted((_age(path), path) for path in root.iterdir() if path.is_dir() and path.name != keep)
    parsed = [path for _, path in aged if not path.name.startswith(".")]
    left = [path for age, path in aged if path.name.startswith(PARTIAL) and not _is_parsing(path, age)]
    for path in [*parsed[KEEP - 1 :], *left]:
        remove_folder(path)


def _age(folder: Path) -> float:
    """Seconds since a folder was written to; 0 if it has just been renamed."""
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_parsing(partial: Path, age: float) -> bool:
    number = partial.name.rpartition("-")[2]
    if not number.isdecimal() or age > LONGEST_PARSE_SECONDS:
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def _turn(path: Path, folder: Path) -> Iterator[None]:
    """Let one process parse while the others wait for its result. The wait has an end, because a parser that hangs must
    not stop every run. The lock only saves work: a process that parses at the same time writes to a folder of its own
    and then renames it, so nothing breaks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    patience = time.monotonic() + PATIENCE_SECONDS
    try:
        while not (folder / COMPILED).is_file() and time.monotonic() < patience:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)
