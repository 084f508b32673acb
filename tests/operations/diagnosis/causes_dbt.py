"""Errors of dbt: models that fail, and projects that cannot be parsed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops_project.model.failure_class import FailureClass
from tests.operations.diagnosis.make_errors import Case


class _Said(Exception):
    """dbt's message about a node; the name is left out of the text."""


MODELS: dict[str, tuple[FailureClass, str]] = {
    "stg_orders": ("schema_mismatch", "select missing_column from {{ ref('base') }}"),
    "stg_timeouts": ("schema_mismatch", "select * from not_there"),
    "retry_429": ("data_invalid", "select cast('x' as integer) as a"),
    "dates": ("data_invalid", "select '2026-02-30'::date as a"),
    "fact_full": ("data_invalid", "select 300::tinyint as a"),
    "broken": ("code_error", "selec 1"),
    "no_function": ("code_error", "select nothing(a) from {{ ref('base') }}"),
    "grouped": ("code_error", "select a, sum(a) from {{ ref('base') }}"),
    "from_file": ("source_missing", "select * from read_csv('/nowhere/orders.csv')"),
    "from_glob": ("source_missing", "select * from read_parquet('/nowhere/*.parquet')"),
    "macro": ("code_error", "{{ exceptions.raise_compiler_error('this cannot be') }}"),
    "undefined": ("code_error", "select {{ no_such_thing() }}"),
    "attribute": ("code_error", "select {{ model.nothing.here }}"),
    "divided": ("code_error", "select {{ 1 / 0 }}"),
    "memory": ("resource_exhausted", "select list(a.range) as x from range(20000000) a"),
    "contracted": ("schema_mismatch", "select 'x' as a"),
    "contracted_extra": ("schema_mismatch", "select 1 as a, 2 as b"),
}
CONTRACT = "{name: %s, config: {contract: {enforced: true}}, columns: [{name: a, data_type: integer}]}"
PARSED: dict[str, tuple[FailureClass, str, str]] = {
    "unknown reference": ("code_error", "models/a.sql", "select * from {{ ref('nowhere') }}"),
    "unknown source": ("code_error", "models/a.sql", "select * from {{ source('raw', 'orders') }}"),
    "open tag": ("code_error", "models/a.sql", "select {{ 1"),
    "open block": ("code_error", "models/a.sql", "{% if true %} select 1"),
    "two of a name": ("code_error", "models/b/base.sql", "select 1 as a"),
    "yaml": ("code_error", "models/a.yml", "models: [\n"),
    "unknown test": (
        "code_error",
        "models/a.yml",
        "models: [{name: base, columns: [{name: a, data_tests: [no_such_test]}]}]",
    ),
    "variable": ("config_error", "models/a.sql", "select {{ var('no_such_variable') }}"),
    "environment": ("config_error", "models/a.sql", "select {{ env_var('NO_SUCH_SETTING_HERE') }}"),
    "profile": ("config_error", "dbt_project.yml", "name: p\nprofile: missing\n"),
    "no name": ("config_error", "dbt_project.yml", "profile: p\n"),
    "project yaml": ("config_error", "dbt_project.yml", "name: [\n"),
    "profiles yaml": ("config_error", "profiles.yml", "p: {target: x, outputs: {}}\n"),
    "adapter": ("config_error", "profiles.yml", "p: {target: d, outputs: {d: {type: nosuch}}}\n"),
}


def cases(folder: Path) -> list[Case]:
    from dbt.cli.main import dbtRunner

    def project(name: str) -> Path:
        made = folder / name.replace(" ", "_")
        (made / "models" / "b").mkdir(parents=True)
        (made / "dbt_project.yml").write_text("name: p\nprofile: p\n", encoding="utf-8")
        outputs = f"{{type: duckdb, path: '{made}/x.duckdb', threads: 1, settings: {{memory_limit: 60MB, max_temp_directory_size: 0KB}}}}"
        (made / "profiles.yml").write_text(f"p: {{target: d, outputs: {{d: {outputs}}}}}\n", encoding="utf-8")
        (made / "models" / "base.sql").write_text("select 1 as a", encoding="utf-8")
        return made

    def run(made: Path, command: str) -> Any:
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-print", "--no-send-anonymous-usage-stats"]
        where = ["--project-dir", str(made), "--profiles-dir", str(made)]
        return dbtRunner().invoke([*quiet, command, *where])

    built = project("models of all kinds")
    for name, (_, sql) in MODELS.items():
        (built / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    contracts = ", ".join(CONTRACT % name for name in MODELS if name.startswith("contracted"))
    (built / "models" / "models.yml").write_text(f"models: [{contracts}]\n", encoding="utf-8")
    answered = run(built, "run")
    results = {item.node.name: item.message for item in getattr(answered.result, "results", ())}

    def said(name: str) -> Callable[[], object]:
        def call() -> None:
            if results.get(name) and "OK" not in str(results[name]):
                raise _Said(results[name])

        return call

    def parsed(name: str, file: str, content: str) -> Callable[[], object]:
        def call() -> None:
            made = project(name)
            (made / file).write_text(content, encoding="utf-8")
            found = run(made, "compile")
            if found.exception is not None:
                raise found.exception
            for item in getattr(found.result, "results", ()):
                if str(item.status) == "error":
                    raise _Said(item.message)

        return call

    return [
        *((name, expected, said(name)) for name, (expected, _) in MODELS.items()),
        *((name, expected, parsed(name, file, content)) for name, (expected, file, content) in PARSED.items()),
    ]
