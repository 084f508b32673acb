"""The ways to cause each error. A case is (name, failure class by its cause, the function that raises)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.operations.diagnosis.make_errors import Case

LIBRARIES = ("duckdb", "sqlite", "python", "http", "boto3", "postgresql", "dbt", "dagster")


@contextmanager
def of(library: str, folder: Path) -> Iterator[list[Case]]:
    """The cases of one library, if the server or program that they need is installed."""
    from tests.operations.diagnosis import (
        causes_boto3,
        causes_dagster,
        causes_dbt,
        causes_duckdb,
        causes_http,
        causes_postgresql,
        causes_python,
        causes_sqlite,
    )

    if library == "http":
        with causes_http.served() as url:
            yield causes_http.cases(url)
    elif library == "boto3":
        with causes_boto3.cloud() as cases:
            yield cases
    elif library == "postgresql":
        with causes_postgresql.postgresql(folder / library) as cases:
            yield cases
    else:
        made = {
            "duckdb": lambda: causes_duckdb.cases(folder / library),
            "sqlite": lambda: causes_sqlite.cases(folder / library),
            "python": lambda: causes_python.cases(folder / library),
            "dbt": lambda: causes_dbt.cases(folder / library),
            "dagster": causes_dagster.cases,
        }
        yield made[library]()
