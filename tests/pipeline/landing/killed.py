"""Lands a home and kills its own process at a given step. It is called in a process of its own."""

from __future__ import annotations

import importlib
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from ops_project.pipeline import landing
from ops_project.pipeline.landing.write import archive
from tests.pipeline.landing.home import TAKINGS, feed_of

FEED = feed_of(TAKINGS + "    expected: daily\n")
NOW = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)
STEPS = (
    "scanned",
    "examined",
    "bronze written",
    "findings written",
    "committed",
    "linked",
    "released",
    "second file",
    "missing recorded",
)


def main(home: Path, step: str) -> landing.LandingResult:
    land, workbench, rows, journal, absence = (
        importlib.import_module(f"ops_project.pipeline.landing.{name}")
        for name in ("land", "workbench", "write.rows", "write.journal", "write.absence")
    )
    places = {
        "scanned": (workbench, "scan"),
        "examined": (workbench, "examine"),
        "bronze written": (rows, "write"),
        "findings written": (journal, "write_findings"),
        "committed": (workbench, "commit"),
        "linked": (archive, "keep"),
        "released": (archive, "release"),
        "second file": (workbench, "examine"),
        "missing recorded": (absence, "record_missing"),
    }
    calls = 0
    if step in places:
        module, name = places[step]
        real = getattr(module, name)

        def killing(*given: Any, **named: Any) -> Any:
            nonlocal calls
            result, calls = real(*given, **named), calls + 1
            if calls == (2 if step == "second file" else 1):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(module, name, killing)
        if step == "missing recorded":
            setattr(land, name, killing)  # land has imported the function by its name
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        landing.ensure_tables(connection, [FEED])
        return landing.land(connection, FEED, inbound=home / "inbound", archive=home / "archive", now=NOW)
