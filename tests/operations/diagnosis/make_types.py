"""Reads what the exceptions of Python and of the usual libraries derive from: `python -m
tests.operations.diagnosis.make_types`.

A log names the type of an exception, but not the types from which it derives. `ops_project/failures/types.yaml` lists
them, so that a text is classified like the exception that it describes. The file is made without looking at any error
text.
"""

from __future__ import annotations

import builtins
import importlib
import re
import sys
from collections import defaultdict
from types import ModuleType

import yaml

from ops_project.failures.types import FILE

PYTHON = [
    "asyncio.exceptions",
    "binascii",
    "bz2",
    "concurrent.futures",
    "concurrent.futures.process",
    "configparser",
    "csv",
    "dataclasses",
    "decimal",
    "email.errors",
    "ftplib",
    "gzip",
    "http.client",
    "json",
    "lzma",
    "multiprocessing",
    "netrc",
    "pickle",
    "poplib",
    "queue",
    "shutil",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "statistics",
    "struct",
    "subprocess",
    "tarfile",
    "tempfile",
    "threading",
    "tomllib",
    "urllib.error",
    "uuid",
    "xml.etree.ElementTree",
    "xml.parsers.expat",
    "zipfile",
    "zlib",
    "zoneinfo",
]
LIBRARIES = [
    "duckdb",
    "psycopg2",
    "psycopg2.errors",
    "sqlalchemy.exc",
    "requests.exceptions",
    "urllib3.exceptions",
    "botocore.exceptions",
    "boto3.exceptions",
    "dagster",
    "dagster._core.errors",
    "dbt.exceptions",
    "dbt_common.exceptions",
    "dbt.adapters.exceptions",
    "jinja2.exceptions",
    "yaml",
    "pydantic",
    "pyarrow.lib",
]
OF_EVERY = ("object", "BaseException", "Exception")


def exceptions_of(module: ModuleType) -> dict[str, type[BaseException]]:
    return {
        found.__name__: found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, BaseException)
    }


def ancestors(found: type) -> str:
    return " ".join(cls.__name__ for cls in found.__mro__[1:] if cls.__name__ not in OF_EVERY)


def document() -> dict[str, dict[str, list[str]]]:
    """Ancestors → names, and SQLSTATE → names. If two libraries use a name for different things, Python's meaning is
    kept; if neither is Python, the name is left out.
    """
    own = exceptions_of(builtins)
    meant: dict[str, set[str]] = {name: {ancestors(found)} for name, found in own.items()}
    for module in (*PYTHON, *LIBRARIES):
        for name, found in exceptions_of(importlib.import_module(module)).items():
            if name not in own:
                meant.setdefault(name, set()).add(ancestors(found))
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, chains in sorted(meant.items()):
        if len(chains) == 1 and (chain := next(iter(chains))):
            grouped[chain].append(name)
    states: dict[str, list[str]] = defaultdict(list)
    codes = vars(importlib.import_module("psycopg2.errorcodes")).values()
    for state in sorted({code for code in codes if isinstance(code, str) and re.fullmatch("[0-9A-Z]{5}", code)}):
        name = _of_state(state)
        if name and name not in own and len(meant.get(name, ())) == 1:
            states[state].append(name)
    return {"ancestors": dict(sorted(grouped.items())), "sqlstates": dict(states)}


def _of_state(state: str) -> str:
    try:
        return str(importlib.import_module("psycopg2.errors").lookup(state).__name__)
    except KeyError:
        return ""


def main() -> None:
    FILE.write_text(yaml.safe_dump(document(), sort_keys=False, width=118), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")


if __name__ == "__main__":
    main()
