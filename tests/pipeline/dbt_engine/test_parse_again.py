"""A project that differs little from one that was parsed is parsed in part, with the same result as in full."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import DBT_PROJECT_DIR

PROJECT = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: ops_project\nmodels:\n  shop:\n    +materialized: view\n",
    "macros/cents.sql": "{% macro cents(column) %}({{ column }} * 100){% endmacro %}",
    "models/orders.sql": "SELECT 1 AS order_id, {{ cents('2') }} AS amount",
    "models/days.sql": "SELECT order_id FROM {{ ref('orders') }}",
    "models/months.sql": "SELECT order_id FROM {{ ref('days') }}",
    "models/schema.yml": "models:\n  - name: orders\n    description: Orders.\n    columns:\n      - name: order_id\n"
    "        data_tests: [not_null]\n",
    "tests/no_free_order.sql": "SELECT * FROM {{ ref('orders') }} WHERE amount = 0",
}
# What differs in two parses of one content.
OF_ITS_TIME = {"created_at", "generated_at", "invocation_id", "invocation_started_at", "run_started_at", "root_path"}


def rewritten(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        path = project / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        before = path.stat()
        path.write_text(text.replace(old, new), encoding="utf-8")
        # As in an image, in which all files have the same time.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return edit


def _added(project: Path) -> None:
    (project / "models" / "years.sql").write_text("SELECT amount FROM {{ ref('orders') }}", encoding="utf-8")


EDITS: dict[str, Callable[[Path], None]] = {
    "a model": rewritten("models/days.sql", "order_id", "amount"),
    "a macro": rewritten("macros/cents.sql", "100", "1000"),
    "a description": rewritten("models/schema.yml", "Orders.", "Sales."),
    "a test of a column": rewritten("models/schema.yml", "not_null", "unique"),
    "a test": rewritten("tests/no_free_order.sql", "= 0", "< 0"),
    "a materialisation": rewritten("models/orders.sql", "SELECT 1", "{{ config(materialized='table') }}SELECT 1"),
    "a new model": _added,
    "a model that is gone": lambda project: (project / "models" / "months.sql").unlink(),
}


@pytest.mark.parametrize(
    "edits", [[*EDITS], *(pytest.param([name], marks=pytest.mark.soak) for name in EDITS)], ids=["all at once", *EDITS]
)
def test_in_part_it_gives_what_it_gives_in_full(
    edits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partly, fully = tmp_path / "partly", tmp_path / "fully"
    for project in (partly, fully):
        _write(project)
    before = dbt_manifest.load(partly)
    for project in (partly, fully):
        for name in edits:
            EDITS[name](project)
    changed = dbt_manifest.load(partly)
    monkeypatch.setattr(dbt_manifest, "_newest", lambda _: None)
    assert _content(changed) == _content(dbt_manifest.load(fully))
    assert _content(changed) != _content(before)
    assert _parsed_at(changed) == _parsed_at(before), "dbt has parsed everything again"


def _parsed_at(parsed: dbt_manifest.DbtManifest) -> float:
    """The time at which dbt parsed a macro that no edit changes."""
    created: float = parsed.json["macros"]["macro.dbt.statement"]["created_at"]
    return created


def _write(project: Path) -> None:
    for name, text in PROJECT.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    (project / "profiles.yml").write_bytes((DBT_PROJECT_DIR / "profiles.yml").read_bytes())


def _content(parsed: dbt_manifest.DbtManifest) -> tuple[Any, dict[str, str]]:
    def stripped(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: stripped(inner) for name, inner in value.items() if name not in OF_ITS_TIME}
        return [stripped(inner) for inner in value] if isinstance(value, list) else value

    body = stripped(parsed.json)
    return json.loads(json.dumps(body, sort_keys=True)), parsed.compiled
