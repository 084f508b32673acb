"""Programs that check the whole project and need no other test: the types, and the style of the SQL. Together they take
up to 50 s of one core. If several processes run the tests, these programs begin with the tests, at a low priority. Then
they use the time in which the tests wait for something, and their results are there when the last tests ask for them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The collector of Python would look through the parsed models again and again, and would find nothing to free.
SQLFLUFF = "import gc; gc.disable(); from sqlfluff.cli.commands import cli; cli()"
COMMANDS = {
    "test_types_of_every_package": ("env", f"PYTHONPATH={Path(sys.prefix) / 'types'}", sys.executable, "-m", "mypy"),
    "test_sql_style": (
        sys.executable,
        "-c",
        SQLFLUFF,
        "lint",
        "--processes",
        "1",
        "--disable-progress-bar",
        "dbt_project/models",
    ),
}
"""Test → its program."""
FIRST = "gw0"
FOLDER = "checked-apart"
LONGEST_SECONDS = 280.0
# The output of the program and its exit code go to files.
BEGIN = 'cd "$1"; shift; name=$1; shift; "$@" > "$0/$name.out" 2>&1; echo $? > "$0/$name.part"; mv "$0/$name.part" "$0/$name.code"'

_running: list[subprocess.Popen[bytes]] = []


def begin(base: Path, tests: Iterable[str]) -> None:
    """Start the programs of these tests, in the first of several processes that run tests. `base`: its folder, which
    lies in that of the whole run.
    """
    wanted = sorted(COMMANDS.keys() & set(tests))
    if os.environ.get("PYTEST_XDIST_WORKER") != FIRST or not wanted:
        return
    folder = base.parent / FOLDER
    folder.mkdir()
    for name in wanted:
        (folder / f"{name}.begun").touch()
        command = ["nice", "-n", "10", "sh", "-c", BEGIN, str(folder), str(ROOT), name, *COMMANDS[name]]
        _running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True))


def end(stopped: bool) -> None:
    """Wait for the programs, because another process may wait for a result. If the tests are `stopped`, end them."""
    for process in _running:
        if stopped and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def result(base: Path, name: str) -> tuple[int, str]:
    """(exit code, output) of the program of this test. The program is run now if nobody has begun it."""
    folder = base.parent / FOLDER
    if "PYTEST_XDIST_WORKER" not in os.environ or not (folder / f"{name}.begun").exists():
        done = subprocess.run(COMMANDS[name], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr
    code, patience = folder / f"{name}.code", time.monotonic() + LONGEST_SECONDS
    while not code.exists():
        assert time.monotonic() < patience, f"{name} did not end: {COMMANDS[name]}"
        time.sleep(0.1)
    return int(code.read_text()), (folder / f"{name}.out").read_text(encoding="utf-8")
