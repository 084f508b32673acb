"""Parses and compiles a dbt project in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ops_project.pipeline.dbt_engine import to_run
from ops_project.settings import DBT_PROJECT_DIR, Settings

QUIET = (
    "--log-level",
    "none",
    "--log-level-file",
    "none",
    "--no-print",
    "--no-use-colors",
    "--no-send-anonymous-usage-stats",
)


# No file has this modification time.
NO_TIME = -1.0


class DbtParseError(RuntimeError):
    """The dbt project cannot be parsed. The message is dbt's."""


def _with_next_step(words: str) -> str:
    """dbt's message, and what to do about it."""
    said = " ".join(words.split()).rstrip(".")
    if "depends on a source named 'bronze." in said:
        return f"{said}. The source of a landed table is bronze.FEED: `ops feed list` shows the names of the feeds."
    if "which was not found" in said:
        return f"{said}. Compare the name in ref(…) or source(…) with the models and feeds that are there."
    return f"{said}. Mend the file that is named, in the project or in the folder of --config."


def folders(project_dir: Path) -> list[str]:
    """The arguments that name the project, its profile and a folder for logs. dbt makes this folder even if it writes
    no log.
    """
    logs = project_dir / "target" / "logs"
    return ["--project-dir", str(project_dir), "--profiles-dir", str(project_dir), "--log-path", str(logs)]


@dataclass(frozen=True)
class Parsed:
    """The results of a parse that are stored."""

    manifest: bytes
    """dbt's Manifest, in msgpack."""
    to_run: bytes
    """The same Manifest in the form of `to_run.pack`."""
    compiled: dict[str, str]
    """The unique_id of each model → its compiled SQL."""


def compile_all(project_dir: Path, target: Path, earlier: bytes | None = None) -> Parsed:
    """Parse the project, then compile it against an empty database. Raises DbtParseError with dbt's words.

    `earlier`: the Manifest of an earlier content of the project. If dbt can use it, dbt reads only the files that have
    changed since then. After a change of one model this takes 1 s, while a full parse takes 5 s.
    """
    from dbt.cli.main import dbtRunner
    from dbt.constants import PARTIAL_PARSE_FILE_NAME
    from dbt.contracts.files import FilePath
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder

    common = [*folders(project_dir), "--target-path", str(target)]
    if earlier is not None:
        (target / PARTIAL_PARSE_FILE_NAME).write_bytes(earlier)
    # If the values of the profile differ from those of the earlier parse, dbt reads every file again. So each parse
    # gets the same values. Parsing opens no database.
    with Settings.load(home=DBT_PROJECT_DIR / "target" / "empty").exported(OPS_MEMORY_LIMIT="1GB", OPS_DBT_THREADS="1"):
        parsed = dbtRunner().invoke([*QUIET, "parse", *common, *([] if earlier else ["--no-partial-parse"])])
        if not parsed.success or not isinstance(parsed.result, Manifest):
            raise DbtParseError(_with_next_step(str(parsed.exception)))
        for file in parsed.result.files.values():
            # dbt does not read a YAML file again if its modification time has not changed. But two contents can have
            # the same time, for example in a container image. So no time is kept, and dbt compares the contents.
            if isinstance(file.path, FilePath):
                file.path.modification_time = NO_TIME
        manifest = parsed.result.to_msgpack(extended_mashumaro_encoder)
        packed = to_run.pack(manifest)
    # In compiled SQL, the name of each relation contains the name of the database, which is the name of the warehouse
    # file. So the file has the same name here as in a real home folder.
    with Settings.load(home=target / "empty").exported():
        (target / "empty" / "warehouse").mkdir(parents=True)
        compiled = dbtRunner(manifest=parsed.result).invoke(
            [
                *QUIET,
                "compile",
                *common,
                "--no-write-json",
                "--exclude",
                "resource_type:test",
                "resource_type:unit_test",
            ]
        )
    results = getattr(compiled.result, "results", None) or []
    sql = {item.node.unique_id: item.node.compiled_code for item in results if item.node.compiled_code}
    return Parsed(manifest, packed, sql)
