"""A real `dagster dev` over the small site of the alert path, in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ops_project.dagster_bridge.home import ensure
from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT, Settings
from tests.operations.channels.smtp import free_port

BIN = Path(sys.executable).parent
SITE = "tests/operations/alerting/daemon_site.py"
START_SECONDS = 90.0


def environment(settings: Settings, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a process that belongs to this home."""
    return {**os.environ, **settings.environ(), "PYTHONPATH": str(PROJECT_ROOT), **(more or {})}


@contextmanager
def running(
    settings: Settings, more: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the webserver, the daemon and the code location, and kill all of them at the end.

    `log`: the file that receives what they write; nothing is kept without one.
    """
    ensure(settings)
    command = [str(BIN / "dagster"), "dev", "-f", SITE, "-h", "127.0.0.1", "-p", str(free_port())]
    with Path(log or os.devnull).open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=environment(settings, more),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            # Dagster would wait for its children, and they wait for their threads. No test needs that.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def wait_for_a_cycle(ledger: Ledger) -> None:
    """Return once the daemon has run its first cycle. Raises AssertionError after 90 seconds."""
    until = time.monotonic() + START_SECONDS
    while ledger.lease("cycle") is None:
        assert time.monotonic() < until, f"the daemon ran no cycle within {START_SECONDS} s"
        time.sleep(0.2)
