"""The daemon prints an error whose text needs no trace as one line, and only once. It prints every other error as
Dagster does.
"""

from __future__ import annotations

import ast
import io
import logging
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dagster._daemon import daemon as loop
from dagster._daemon.utils import DaemonErrorCapture
from dagster._utils.error import serializable_error_info_from_exc_info
from sqlalchemy.exc import OperationalError

import ops_project
from ops_project.dagster_bridge.daemon import AS_BEFORE, SPEAKING, Reporter, _heard, in_one_line, without_trace
from ops_project.failures import Unusable


@pytest.fixture
def terminal() -> tuple[logging.Logger, io.StringIO]:
    shown = io.StringIO()
    logger = logging.Logger("daemon")
    logger.addHandler(logging.StreamHandler(shown))
    return logger, shown


def report(reporter: Reporter, logger: logging.Logger, error: Exception) -> Any:
    try:
        try:
            raise error
        except Exception as cause:
            raise ValueError("the tick failed") from cause
    except ValueError:
        return reporter(sys.exc_info(), logger=logger, log_message="Sensor tick caught an error")


def test_a_store_that_cannot_be_used_is_one_line_and_not_repeated(terminal: tuple[logging.Logger, io.StringIO]) -> None:
    logger, shown = terminal
    reporter = Reporter(DaemonErrorCapture.default_process_exception)
    for _ in range(3):
        kept = report(reporter, logger, Unusable("The ledger X cannot be used. Start its server."))
    assert shown.getvalue() == "Sensor tick caught an error: The ledger X cannot be used. Start its server.\n"
    assert kept.cause.message.strip().endswith("Start its server."), "the tick keeps it for the Dagster UI"
    report(reporter, logger, Unusable("The ledger X is an empty file."))
    assert len(shown.getvalue().splitlines()) == 2


def test_two_stores_that_are_down_are_told_once_each_and_a_later_outage_is_told_again(
    terminal: tuple[logging.Logger, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, shown = terminal
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    reporter = Reporter(DaemonErrorCapture.default_process_exception)
    for _ in range(3):
        report(reporter, logger, Unusable("The ledger X cannot be used."))
        report(reporter, logger, Unusable("The warehouse Y cannot be used."))
        clock[0] += 30
    assert len(shown.getvalue().splitlines()) == 2
    clock[0] += 3600
    report(reporter, logger, Unusable("The ledger X cannot be used."))
    assert len(shown.getvalue().splitlines()) == 3, "the ledger was back in between, so this is news"


def test_any_other_error_keeps_its_trace(terminal: tuple[logging.Logger, io.StringIO]) -> None:
    logger, shown = terminal
    reporter = Reporter(DaemonErrorCapture.default_process_exception)
    report(reporter, logger, KeyError("x"))
    report(reporter, logger, KeyError("x"))
    assert shown.getvalue().count("KeyError: 'x'") == 2 and "Traceback" in shown.getvalue()


def test_every_error_that_speaks_for_itself_is_known_to_the_daemon() -> None:
    bases: dict[str, set[str]] = {}
    for file in Path(ops_project.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(b.id for b in node.bases if isinstance(b, ast.Name))
    known = {"Unusable"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    assert known == SPEAKING


def test_an_error_of_the_storage_in_any_loop_is_one_line(terminal: tuple[logging.Logger, io.StringIO]) -> None:
    logger, shown = terminal
    reporter = Reporter(DaemonErrorCapture.default_process_exception)
    failed = OperationalError("SELECT 1", {}, Exception("connection refused"))
    report(reporter, logger, failed)
    assert len(shown.getvalue().splitlines()) == 1 and "Dagster's storage" in shown.getvalue()
    try:
        raise failed
    except OperationalError:
        _heard.clear()
        first, second = str(in_one_line(sys.exc_info())), str(in_one_line(sys.exc_info()))
        assert "Dagster's storage" in first and first.count("\n") == 1 and second == f"{AS_BEFORE}\n"
        logger.addFilter(without_trace)
        shown.truncate(shown.seek(0))
        logger.warning("Error attempting to check daemon heartbeats", exc_info=True)
        assert shown.getvalue() == f"Error attempting to check daemon heartbeats: {AS_BEFORE}\n"
    try:
        raise KeyError("x")
    except KeyError:
        assert "Stack Trace" in str(in_one_line(sys.exc_info()))
    assert loop.serializable_error_info_from_exc_info is serializable_error_info_from_exc_info, (
        "the name is still there"
    )
