from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops_project.process import locks
from tests.empty_home import NOW

HOLD = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from ops_project.process import locks
with locks.hold(Path(sys.argv[1]), owner="the other", now=datetime(2026, 1, 1, tzinfo=UTC), run="abcdef0123"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_who_waits_is_told_who_holds_it_and_since_when(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    told: list[locks.Holder | None] = []
    with (
        pytest.raises(locks.LockTimeout, match=rf"the other \(pid {other.pid}, run abcdef01\) since 2026-01-01T00:00"),
        locks.hold(tmp_path / "lock", owner="me", now=NOW, timeout=0.6, on_wait=told.append),
    ):
        pytest.fail("two writers at once")
    assert [holder and holder.owner for holder in told] == ["the other"]
    assert str(locks.holder(tmp_path / "lock")).startswith("the other")


def test_the_lock_dies_with_its_process(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    os.kill(other.pid, signal.SIGKILL)
    began = time.monotonic()
    with locks.hold(tmp_path / "lock", owner="me", now=NOW, timeout=5):
        assert time.monotonic() - began < 2
        found = locks.holder(tmp_path / "lock")
        assert found is not None and found.owner == "me"
    assert locks.holder(tmp_path / "lock") is None


def test_it_is_reentrant_within_a_process_and_let_go_once(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with locks.hold(lock, owner="outer", now=NOW):
        with locks.hold(lock, owner="inner", now=NOW, run="r1"):
            assert locks.held_here(lock)
        assert locks.held_here(lock)
        assert locks.holder(lock) is not None
    assert not locks.held_here(lock)
    assert locks.holder(lock) is None


def test_nobody_holds_what_does_not_exist(tmp_path: Path) -> None:
    assert locks.holder(tmp_path / "none") is None


def test_a_name_that_cannot_be_written_leaves_the_lock_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(locks, "_write", full)
        with pytest.raises(OSError, match="No space"), locks.hold(tmp_path / "lock", owner="test", now=NOW):
            pass
    assert tmp_path / "lock" not in locks._held
    with locks.hold(tmp_path / "lock", owner="test", now=NOW, timeout=0):
        pass


def test_a_forked_process_does_not_hold_what_its_parent_holds(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with locks.hold(lock, owner="parent", now=NOW):
        pid = os.fork()
        if not pid:
            try:
                with locks.hold(lock, owner="child", now=NOW, timeout=0):
                    os._exit(1)
            except locks.LockTimeout:
                os._exit(0)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        found = locks.holder(lock)
        assert found is not None and found.owner == "parent", "the child's end does not free the parent's lock"
