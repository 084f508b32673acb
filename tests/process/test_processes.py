from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from ops_project.process.processes import Process, current


def test_this_process_lives_and_reads_back_from_its_text() -> None:
    me = current()
    assert me.pid == os.getpid() and me.alive()
    assert Process.parse(str(me)) == me


def test_a_pid_that_was_used_again_is_another_process() -> None:
    assert not replace(current(), started="1").alive()


def test_after_a_reboot_nobody_lives() -> None:
    assert not replace(current(), boot="another").alive()


def test_an_ended_process_is_dead_also_while_its_parent_has_not_looked() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = Process(current().boot, child.pid, _started(child.pid))
    assert found.alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not found.alive()
    child.wait()


def test_text_that_is_no_process() -> None:
    assert Process.parse("") is None
    assert Process.parse("a:b:c") is None
    assert Process.parse("a:²:c") is None


def _started(pid: int) -> str:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123
        return stat.read().rpartition(")")[2].split()[19]


def test_a_process_of_another_container_on_this_host_is_neither_alive_nor_gone():
    boot = current().boot.partition(".")[0]
    elsewhere = Process(f"{boot}.1", os.getpid(), "1")
    assert not elsewhere.visible() and not elsewhere.alive() and not elsewhere.gone()


def test_what_an_earlier_version_wrote_is_still_understood():
    boot = current().boot.partition(".")[0]
    assert Process(boot, os.getpid(), current().started).alive()
    assert Process(boot, os.getpid(), "1").gone()
    assert Process("before", os.getpid(), "1").gone(), "the machine was started anew since"
