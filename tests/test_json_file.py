"""A document of the program that was damaged, or written by another version, is refused as a whole or read as it was
meant: no value of a wrong type reaches the code behind it.
"""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ops_project.json_file import read_record, record
from ops_project.operations.alerting.dagster.events import Log
from ops_project.operations.reports.facts import FigureFacts, ReportFacts
from ops_project.pipeline.recovery import archive_check, journal
from ops_project.pipeline.recovery.backup.drill import Drill
from ops_project.pipeline.warehouse import closings
from ops_project.process import locks
from ops_project.settings import PROJECT_ROOT

AT = "2026-03-01T06:00:00+00:00"
FIGURE = FigureFacts("orders", "Orders", "", "SELECT 1", "gold.orders", AT, "", "", ("day", "n"), (("2026-03-01", 1),))
KEPT = [
    closings.Closing("job", "1", "ecommerce", closings.CLOSED, AT, scheduled=True, error="", failed_checks=2),
    locks.Holder(1, "ops run", "abcdef", AT),
    journal.Entry("1", "snapshot 1", ("gold.a",), "ada", AT, checksums=(("gold.a", "x"),), previous={"id": "0"}),
    archive_check.Damage("a/b.csv", "shop", "orders", "b.csv", "2026-03-01", "1", "is missing", AT),
    Drill(AT, "1", "folder", True, "well", 1.5, 3, 2.5, 10),
    Log(1, "a run at a time", 2.5),
    ReportFacts("daily", "Daily", "", AT, AT, AT, AT, "UTC", (FIGURE,)),
]
OTHERS: tuple[Any, ...] = ([], {}, "x", [1], {"x": [1]}, None)


def as_json(kept: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(kept)))
    return document


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: type(kept).__name__)
def test_what_was_written_is_read(kept: Any, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text(json.dumps({**as_json(kept), "a_field_of_a_later_version": 1}))
    assert read_record(file, type(kept)) == kept


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: type(kept).__name__)
def test_a_value_of_another_type_is_refused(kept: Any) -> None:
    for name in as_json(kept):
        for other in OTHERS:
            try:
                found = record({**as_json(kept), name: other}, type(kept))
            except ValueError:
                continue
            # Some other values are of the same type: another text, an empty list, null where a value may be missing.
            taken = getattr(found, name)
            assert taken is None or type(taken) is type(getattr(kept, name)), (name, other, taken)
            assert taken is not None or "None" in str(type(kept).__annotations__[name]), name
    with pytest.raises(ValueError, match="validation error"):
        record([], type(kept))


def test_each_record_that_the_program_reads_from_a_file_is_checked() -> None:
    """`Kind(**json)` takes any value, so nothing in the project may build a record in that way."""
    unchecked = [
        f"{path.relative_to(PROJECT_ROOT)}:{call.lineno}"
        for path in sorted((PROJECT_ROOT / "ops_project").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg is None
        and isinstance(keyword.value, ast.Call)
        and ast.unparse(keyword.value.func) in ("read_object", "read_json", "json.loads")
    ]
    assert not unchecked, f"use json_file.record: {unchecked}"
