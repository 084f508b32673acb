"""Errors of Python, the operating system, and libraries that read files."""

from __future__ import annotations

import asyncio
import concurrent.futures
import configparser
import csv
import decimal
import errno
import gzip
import importlib
import io
import json
import lzma
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from tests.operations.diagnosis.make_errors import Case


def cases(folder: Path) -> list[Case]:
    folder.mkdir(parents=True)
    (folder / "file").write_text("x", encoding="utf-8")
    (folder / "full" / "inside").mkdir(parents=True)
    return [*_language(folder), *_system(folder), *_processes(), *_reading(folder), *_wrapped(folder)]


def _language(folder: Path) -> list[Case]:
    class Thing:
        pass

    def recursion() -> None:
        recursion()

    def unbound() -> None:
        print(value)  # type: ignore[has-type, used-before-def]  # noqa: F821 - raised on purpose
        value = 1

    (folder / "broken.py").write_text("def x(:\n", encoding="utf-8")
    sys.path.append(str(folder))
    return [
        ("type", "code_error", lambda: 1 + "a"),  # type: ignore[operator]  # raised on purpose
        ("call", "code_error", lambda: len()),  # type: ignore[call-arg]  # raised on purpose
        ("attribute", "code_error", lambda: Thing().timeout),  # type: ignore[attr-defined]  # raised on purpose
        ("none", "code_error", lambda: None.upper()),  # type: ignore[attr-defined]  # raised on purpose
        ("key", "code_error", lambda: dict[str, str]()["connection refused"]),
        ("index", "code_error", lambda: [][0]),
        ("name", "code_error", lambda: eval("retry_429 + 1")),
        ("unbound", "code_error", unbound),
        ("syntax", "code_error", lambda: compile("def x(", "model.py", "exec")),
        ("indentation", "code_error", lambda: compile("if 1:\nx", "model.py", "exec")),
        ("tab", "code_error", lambda: compile("if 1:\n\tx\n        y", "model.py", "exec")),
        ("module", "code_error", lambda: importlib.import_module("no_such_module_503")),
        ("import name", "code_error", lambda: exec("from json import no_space_left")),
        ("broken module", "code_error", lambda: importlib.import_module("broken")),
        ("assertion", "code_error", lambda: exec("assert 1 == 2, 'totals differ'")),
        ("zero", "code_error", lambda: 1 / 0),
        ("recursion", "code_error", recursion),
        ("overflow", "code_error", lambda: 2.0**5000),
        ("not implemented", "code_error", lambda: exec("raise NotImplementedError('merge of satellites')")),
        ("unpack", "data_invalid", lambda: exec("a, b = (1, 2, 3)")),
        ("int", "data_invalid", lambda: int("12,5")),
        ("float", "data_invalid", lambda: float("n/a")),
        ("date", "data_invalid", lambda: datetime.strptime("03.04.2026", "%Y-%m-%d")),
        ("iso", "data_invalid", lambda: datetime.fromisoformat("2026-13-45")),
        ("decimal", "data_invalid", lambda: decimal.Decimal("ten")),
        ("decimal precision", "data_invalid", lambda: decimal.Decimal("1e999999").quantize(decimal.Decimal("0.01"))),
        ("utf-8", "data_invalid", lambda: b"caf\xe9".decode()),
        ("ascii", "data_invalid", lambda: "café".encode("ascii")),
        ("codec", "code_error", lambda: b"x".decode("no-such-codec")),
        ("memory", "resource_exhausted", lambda: bytearray(2**62)),
        ("list memory", "resource_exhausted", lambda: [0] * 2**60),
        ("stop", "code_error", lambda: next(iter(()))),
        ("exit", "process_killed", lambda: sys.exit(1)),
        ("frozen", "code_error", lambda: setattr(1, "x", 2)),
        ("hash", "code_error", lambda: {[]: 1}),
        ("environment", "config_error", lambda: os.environ["OPS_NO_SUCH_SETTING"]),
        ("ini", "config_error", lambda: configparser.ConfigParser().read_string("[a\nb=1")),
        ("yaml", "config_error", lambda: yaml.safe_load("a: [1, 2\nb: 3")),
    ]


def _system(folder: Path) -> list[Case]:
    def with_limit(kind: int, value: int, work: Callable[[], object]) -> Callable[[], None]:
        def call() -> None:
            before = resource.getrlimit(kind)
            resource.setrlimit(kind, (value, before[1]))
            try:
                work()
            finally:
                resource.setrlimit(kind, before)

        return call

    def large() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        (folder / "large").write_bytes(b"x" * 100_000)

    def many() -> None:
        kept = [open(folder / "file") for _ in range(10_000)]
        del kept

    def full_device() -> None:
        with open("/dev/full", "wb", buffering=0) as device:
            device.write(b"x")

    def full_flush() -> None:
        with open("/dev/full", "w", encoding="utf-8") as device:
            device.write("x" * 100_000)

    def refused() -> None:
        socket.create_connection(("127.0.0.1", 1), timeout=2)

    def silent() -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            with socket.create_connection(server.getsockname(), timeout=0.2) as client:
                client.recv(1)

    def reset() -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            client = socket.create_connection(server.getsockname())
            taken, _ = server.accept()
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            taken.close()
            client.recv(1)

    def pipe() -> None:
        ours, theirs = socket.socketpair()
        theirs.close()
        ours.send(b"x")

    def in_use() -> None:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            one.listen()
            two.bind(one.getsockname())

    def not_connected() -> None:
        with socket.socket() as one:
            one.send(b"x")

    def would_block() -> None:
        one, _two = socket.socketpair()
        one.setblocking(False)
        one.recv(1)

    def file_locked() -> None:
        import fcntl

        with open(folder / "lock", "w") as one, open(folder / "lock", "w") as two:
            fcntl.flock(one, fcntl.LOCK_EX)
            fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def closed_file() -> None:
        file = open(f"{here}/file")
        file.close()
        file.read()

    loop = folder / "loop"
    loop.symlink_to(loop)
    here = str(folder)
    return [
        ("no file", "source_missing", lambda: open(f"{here}/orders.csv")),
        ("no folder", "source_missing", lambda: os.listdir(f"{here}/inbound")),
        ("stat", "source_missing", lambda: os.stat(f"{here}/timeouts.csv")),
        ("a folder", "config_error", lambda: open(here)),
        ("a file as a folder", "config_error", lambda: open(f"{here}/file/x")),
        ("exists", "config_error", lambda: os.mkdir(f"{here}/full")),
        ("not empty", "config_error", lambda: os.rmdir(f"{here}/full")),
        ("loop", "config_error", lambda: open(loop)),
        ("long name", "config_error", lambda: open(f"{here}/{'x' * 300}", "w")),
        ("read-only", "config_error", lambda: open("/proc/version", "w")),
        ("device full", "storage_full", full_device),
        ("device full at the end", "storage_full", full_flush),
        ("file limit", "storage_full", with_limit(resource.RLIMIT_FSIZE, 10_000, large)),
        ("open files", "resource_exhausted", with_limit(resource.RLIMIT_NOFILE, 60, many)),
        ("refused", "connection_failure", refused),
        ("reset", "connection_failure", reset),
        ("pipe", "connection_failure", pipe),
        ("no answer", "timeout", silent),
        ("port in use", "config_error", in_use),
        ("not connected", "connection_failure", not_connected),
        ("would block", "lock_contention", would_block),
        ("locked file", "lock_contention", file_locked),
        ("name", "connection_failure", lambda: socket.getaddrinfo("no-such-host.invalid", 80)),
        ("service", "connection_failure", lambda: socket.create_connection(("no-such-host.invalid", 80))),
        ("bad descriptor", "code_error", lambda: os.read(987, 1)),
        ("bad argument", "code_error", lambda: os.lseek(os.open(f"{here}/file", os.O_RDONLY), -5, 0)),
        ("closed file", "code_error", closed_file),
    ]


def _processes() -> list[Case]:
    def run(*words: str, **options: Any) -> Callable[[], object]:
        return lambda: subprocess.run(words, check=True, capture_output=True, **options)

    def pool() -> None:
        with concurrent.futures.ProcessPoolExecutor(1) as executor:
            executor.submit(os._exit, 9).result()

    def future() -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            executor.submit(threading.Event().wait, 0.5).result(timeout=0.05)

    async def slow() -> None:
        await asyncio.wait_for(asyncio.sleep(5), 0.05)

    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)

    return [
        ("no program", "source_missing", run("/no/such/program")),
        ("no permission", "config_error", run("/etc/hostname")),
        ("killed", "process_killed", run("sh", "-c", "kill -KILL $$")),
        ("terminated", "process_killed", run("sh", "-c", "kill -TERM $$")),
        ("killed in a shell", "process_killed", run("sh", "-c", "exit 137")),
        ("crashed", "code_error", run("sh", "-c", "kill -SEGV $$")),
        ("aborted", "code_error", run("sh", "-c", "kill -ABRT $$")),
        ("out of time", "timeout", run("sleep", "5", timeout=0.1)),
        ("some exit code", "unknown", run("sh", "-c", "exit 3")),
        ("worker died", "process_killed", pool),
        ("future", "timeout", future),
        ("asyncio", "timeout", lambda: asyncio.run(slow())),
        ("Ctrl-C", "process_killed", interrupted),
    ]


def _reading(folder: Path) -> list[Case]:
    import pandas as pd
    import pyarrow.csv
    import pyarrow.parquet

    squeezed = gzip.compress(b"order_id,amount\n" * 500)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("orders.csv", "order_id\n1\n")
    good = folder / "good.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(good)

    def parquet(content: bytes) -> object:
        return pyarrow.parquet.read_table(io.BytesIO(content))

    def arrow(text: str) -> object:
        return pyarrow.csv.read_csv(io.BytesIO(text.encode()))

    return [
        ("json", "data_invalid", lambda: json.loads('{"a": 1,}')),
        ("json empty", "data_invalid", lambda: json.loads("")),
        ("xml", "data_invalid", lambda: ElementTree.fromstring("<a><b></a>")),
        ("gzip of text", "data_invalid", lambda: gzip.decompress(b"order_id,amount")),
        ("gzip cut", "source_partial", lambda: gzip.decompress(squeezed[:-20])),
        ("lzma", "source_partial", lambda: lzma.decompress(lzma.compress(b"x" * 5000)[:-9])),
        ("zip", "data_invalid", lambda: zipfile.ZipFile(io.BytesIO(b"not a zip"))),
        ("zip member", "source_missing", lambda: zipfile.ZipFile(zipped).read("customers.csv")),
        ("csv nul", "data_invalid", lambda: list(csv.reader(["a,b", 'x,"y'], strict=True))),
        ("csv field", "data_invalid", lambda: list(csv.DictReader(io.StringIO("a\n" + "x" * 200_000)))),
        ("pandas empty", "source_empty", lambda: pd.read_csv(io.StringIO(""))),
        ("pandas columns", "data_invalid", lambda: pd.read_csv(io.StringIO("a,b\n1,2\n1,2,3\n"))),
        ("pandas type", "data_invalid", lambda: pd.read_csv(io.StringIO("a\nx\n"), dtype={"a": "int64"})),
        ("pandas column", "code_error", lambda: pd.DataFrame({"a": [1]})["amount"]),
        ("pandas merge", "code_error", lambda: pd.DataFrame({"a": [1]}).merge(pd.DataFrame({"b": [1]}), on="a")),
        ("pandas file", "source_missing", lambda: pd.read_csv(folder / "spend.csv")),
        ("arrow columns", "data_invalid", lambda: arrow("a,b\n1,2\n1\n")),
        ("arrow empty", "data_invalid", lambda: arrow("")),
        ("parquet cut", "data_invalid", lambda: parquet(good.read_bytes()[:300])),
        ("parquet of text", "data_invalid", lambda: parquet(b"no parquet at all, but text")),
    ]


def _wrapped(folder: Path) -> list[Case]:
    """The cause decides if the outer error has no evidence; a name in the outer error is not evidence."""

    def around(cause: Callable[[], object], words: str, kind: type[Exception] = RuntimeError) -> Callable[[], None]:
        def call() -> None:
            try:
                cause()
            except Exception as error:
                raise kind(words) from error

        return call

    def full() -> None:
        with open("/dev/full", "wb", buffering=0) as device:
            device.write(b"x")

    def later() -> None:
        try:
            full()
        finally:
            os.unlink(folder / "never-made")

    def plain(words: str) -> Callable[[], None]:
        def call() -> None:
            raise RuntimeError(words)

        return call

    return [
        ("landing", "storage_full", around(full, "landing of web_events failed")),
        ("model 429", "code_error", around(lambda: 1 / 0, "model retry_429_timeouts failed")),
        (
            "table deadlock",
            "source_missing",
            around(lambda: open(folder / "gone"), "could not load bronze.deadlock_detected"),
        ),
        ("by words: full", "storage_full", plain("copying the snapshot failed: No space left on device")),
        ("by words: refused", "connection_failure", plain("the broker said: connection refused")),
        (
            "by words: rate",
            "resource_exhausted",
            plain("the mail service answers: rate limit exceeded, try again later"),
        ),
        ("by words: killed", "process_killed", plain("the worker was killed")),
        ("by words: name", "connection_failure", plain("Temporary failure in name resolution")),
        ("no evidence: model", "unknown", plain("model stg_connection_refused failed")),
        ("no evidence: status", "unknown", plain("step http_503_errors ended early")),
        ("no evidence: value", "unknown", plain("value 'deadlock detected' is odd")),
        ("no evidence: path", "unknown", plain("/srv/data/timed out/no_space_left.csv was skipped")),
        ("nothing known", "unknown", plain("the flux capacitor is cold")),
        ("empty", "unknown", plain("")),
        ("number", "unknown", plain(str(errno.ENOSPC))),
    ]
