"""A real PostgreSQL server for the tests, if the machine has the binaries."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MISSING = "PostgreSQL's server binaries (initdb, pg_ctl) are not installed here"
DAGSTER_YAML = """
storage:
  custom:
    module: ops_project.dagster_bridge.postgres_storage
    class: Storage
    config: {postgres_url: {env: OPS_DAGSTER_URL}}
"""
"""Dagster's storage is on the server that OPS_DAGSTER_URL names."""


def binaries() -> Path | None:
    """The folder that holds initdb and pg_ctl; None if there is none."""
    on_path = shutil.which("pg_ctl")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(
        (folder for folder in candidates if all((folder / name).exists() for name in ("initdb", "pg_ctl"))), None
    )


@dataclass(frozen=True)
class Server:
    """A server that a test may stop and start again."""

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture(scope="session", name="server")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that the tests of a folder share: its conftest imports this fixture."""
    if binaries() is None:
        pytest.skip(MISSING)
    with running(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start a server in an empty folder and stop it at the end; yields its URL. Needs `binaries()`."""
    with server(folder) as found:
        yield found.url


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Like `running`, but yields the Server, with which a test stops and starts it."""
    found = binaries()
    assert found is not None, MISSING
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    # The server refuses to run as root: it runs as nobody.
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)

    def call(*command: str) -> None:
        if user is not None:
            # The server must be able to reach its folder. Another pytest that begins meanwhile closes the common folder.
            for above in folder.parents:
                if not above.stat().st_mode & 0o001:
                    above.chmod(above.stat().st_mode | 0o011)
        quiet = subprocess.DEVNULL
        subprocess.run(command, cwd=folder, check=True, stdout=quiet, stdin=quiet, user=user)

    data = str(folder / "data")
    call(str(found / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
    control = [str(found / "pg_ctl"), "-D", data, "-w"]

    def start() -> None:
        call(*control, "-o", options, "-l", str(folder / "log"), "start")

    def stop() -> None:
        if (folder / "data" / "postmaster.pid").exists():
            call(*control, "-m", "immediate", "stop")

    start()
    try:
        yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres", stop, start)
    finally:
        stop()
