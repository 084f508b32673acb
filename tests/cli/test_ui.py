"""`ops ui` ends before it starts anything if its port is taken, and ends completely when it is told to."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster._cli import dev as dagster_dev

from ops_project.cli import cli
from ops_project.dagster_bridge import dev
from ops_project.settings import PROJECT_ROOT
from tests.dagster_dev import BIN
from tests.operations.channels.smtp import free_port

HEARTBEAT_TIMEOUT = 90


def test_a_busy_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "ui", "--port", str(port)])
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 is in use" in result.output
    assert "ops ui --port" in result.output and "make ui PORT=" in result.output
    assert "http://" not in result.output
    assert not (tmp_path / "home" / "dagster").exists()


def test_an_address_that_is_not_ours_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "ui", "--host", "192.0.2.1"])
    assert result.exit_code == 1 and "nothing can listen on 192.0.2.1, port 3000" in result.output


def test_a_script_that_ignores_sigint_does_not_make_dagster_deaf(tmp_path: Path) -> None:
    process = _started(tmp_path, free_port())
    try:
        _await(lambda: _is_dagster(process.pid), tmp_path / "console")
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        _kill(process)
    ignored = int(next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1], 16)
    assert not ignored & (1 << signal.SIGINT - 1 | 1 << signal.SIGTERM - 1)


def test_ctrl_c_while_dagster_starts_has_the_words_of_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["dagster", "dev", "--workspace", str(PROJECT_ROOT / "workspace.yaml")])
    monkeypatch.setattr(dagster_dev, "get_possibly_temporary_instance_for_cli", pressed)
    monkeypatch.setattr(dagster_dev, "open_ipc_subprocess", dagster_dev.open_ipc_subprocess)
    monkeypatch.setattr(dagster_dev, "setup_interrupt_handlers", lambda: None)
    monkeypatch.setattr(dagster_dev, "configure_loggers", lambda **_: None)
    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")
    monkeypatch.setenv("DAGSTER_verbose", "")
    with pytest.raises(SystemExit) as ended:
        dev.run()
    assert ended.value.code == 130
    assert capsys.readouterr().err.split("\n")[-2] == "Interrupted by you."


@pytest.mark.soak
def test_sigterm_ends_it_and_its_children_and_the_console_was_quiet(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "console"
    process = _started(tmp_path, port)
    try:
        _await(lambda: _answers(port), log)
        process.send_signal(signal.SIGTERM)
        process.wait(HEARTBEAT_TIMEOUT)
        _await(lambda: not _members(process.pid), log)
    finally:
        _kill(process)
    said = log.read_text(errors="replace")
    assert "SupersessionWarning" not in said and " DEBUG " not in said, said


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """`ops ui` as a script starts it in the background, in a session of its own."""
    with (folder / "console").open("wb") as console:
        return subprocess.Popen(
            [BIN / "ops", "--home", folder / "home", "ui", "--port", str(port)],
            stdout=console,
            stderr=console,
            cwd=PROJECT_ROOT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    while members := _members(process.pid):
        for member in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
    process.wait()


def _is_dagster(pid: int) -> bool:
    return b"\0dev\0--workspace\0" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _members(session: int) -> list[int]:
    """The living processes of the session. Processes that have ended and wait for their parent are left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, of_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(of_session) == session and state != "Z":
                found.append(int(folder.name))
    return found


def _await(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + HEARTBEAT_TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.2)
