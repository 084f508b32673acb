"""Jinja compiles a template once for all processes of a run of the tests, and not again in each run of dbt. The same
text gives the same code, and a run of a domain compiles about 500 templates, which is 6 % of its processor time.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import threading
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2

_compile: Any = jinja2.Environment.compile
_known: dict[str, CodeType] = {}
_folders: list[Path] = []


def shared(folder: Path) -> None:
    """From now on this process and its children keep compiled templates in `folder`, and look there before they compile
    one.
    """

    def compile(
        environment: jinja2.Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        if raw or not isinstance(source, str):
            return _compile(environment, source, name, filename, raw, defer_init)
        told = (
            type(environment).__qualname__,
            sorted(environment.extensions),
            sorted(environment.filters),
            sorted(environment.tests),
            environment.autoescape is not False,
            environment.trim_blocks,
            environment.lstrip_blocks,
            source,
            name,
            filename,
            defer_init,
        )
        digest = hashlib.sha256(repr(told).encode(errors="surrogatepass")).hexdigest()
        if digest not in _known:
            path = folder / digest
            try:
                _known[digest] = marshal.loads(path.read_bytes())
            except OSError:
                _known[digest] = _compile(environment, source, name, filename, False, defer_init)
                partial = path.with_name(f"{digest}.{os.getpid()}-{threading.get_ident()}")
                partial.write_bytes(marshal.dumps(_known[digest]))
                partial.rename(path)
        return _known[digest]

    _folders.append(folder)
    jinja2.Environment.compile = compile  # type: ignore[assignment]  # the same signature, without its overloads


def read() -> None:
    """Read what other processes have compiled. A process calls this before a fork, so that no fork reads the files."""
    for folder in _folders:
        for name in {entry.name for entry in os.scandir(folder) if "." not in entry.name} - _known.keys():
            _known[name] = marshal.loads((folder / name).read_bytes())
