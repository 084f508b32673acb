"""Parse and compile a dbt project in this process."""

from __future__ import annotations

from pathlib import Path

from ops_project.settings import Settings

QUIET = (
    "--log-level",
    "none",
    "--log-level-file",
    "none",
    "--no-print",
    "--no-use-colors",
    "--no-send-anonymous-usage-stats",
)


class DbtParseError(RuntimeError):
    """The dbt project does not parse; the message is dbt's."""


def folders(project_dir: Path) -> list[str]:
    """The arguments that name the project and its profile. dbt makes a folder for logs also where it writes none."""
    logs = project_dir / "target" / "logs"
    return ["--project-dir", str(project_dir), "--profiles-dir", str(project_dir), "--log-path", str(logs)]


def compile_all(project_dir: Path, target: Path) -> tuple[bytes, dict[str, str]]:
    """Parse, then compile against an empty database: dbt's Manifest (msgpack) and unique_id → SQL.

    Raises DbtParseError with dbt's words.
    """
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder

    common = [*folders(project_dir), "--target-path", str(target)]
    # The name of the file is the name of the database in every relation, so it must be the one of a real home.
    with Settings.load(home=target / "empty").exported():
        (target / "empty" / "warehouse").mkdir(parents=True)
        parsed = dbtRunner().invoke([*QUIET, "parse", *common, "--no-partial-parse"])
        if not parsed.success or not isinstance(parsed.result, Manifest):
            raise DbtParseError(str(parsed.exception))
        manifest = parsed.result.to_msgpack(extended_mashumaro_encoder)
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
    return manifest, {item.node.unique_id: item.node.compiled_code for item in results if item.node.compiled_code}
