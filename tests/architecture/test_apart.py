"""Programs that begin with the tests: every one of them begins, and a test finds its output and its exit code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.architecture import apart

PROGRAMS = {
    "test_one": (sys.executable, "-c", "print('found nothing')"),
    "test_two": (sys.executable, "-c", "import sys; print('wrong'); print('here', file=sys.stderr); sys.exit(3)"),
}


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a process that runs tests."""
    monkeypatch.setattr(apart, "COMMANDS", PROGRAMS)
    monkeypatch.setattr(apart, "_running", [])
    return tmp_path / "base"


def test_the_program_of_each_test_begins_in_the_first_process(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", apart.FIRST)
    apart.begin(base, (name for name in (*PROGRAMS, "test_other")))
    begun = {path.stem for path in (base.parent / apart.FOLDER).glob("*.begun")}
    found = {name: apart.result(base, name) for name in PROGRAMS}
    apart.end(stopped=False)
    assert begun == set(PROGRAMS)
    assert found == {"test_one": (0, "found nothing\n"), "test_two": (3, "wrong\nhere\n")}


@pytest.mark.parametrize("worker", ["gw1", None])
def test_a_program_that_nobody_began_is_run(base: Path, monkeypatch: pytest.MonkeyPatch, worker: str | None) -> None:
    if worker is None:
        monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    else:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    apart.begin(base, PROGRAMS)
    assert not (base.parent / apart.FOLDER).exists()
    assert apart.result(base, "test_two") == (3, "wrong\nhere\n")


def test_a_program_ends_with_tests_that_are_stopped(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", apart.FIRST)
    monkeypatch.setattr(apart, "COMMANDS", {"test_long": ("sleep", "600")})
    apart.begin(base, ["test_long"])
    [process] = apart._running
    apart.end(stopped=True)
    assert process.returncode == -9
