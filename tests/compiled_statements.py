"""SQLAlchemy compiles a statement once for all SQLite files of a process, and not again for each file. Nearly every test
opens databases of its own, and compiling the same statements for each of them took 3 % of the suite's processor time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.base import Engine
from sqlalchemy.util import LRUCache

# The options of an engine that change the SQL of a statement, or how its values are bound.
OPTIONS = (
    "paramstyle",
    "native_datetime",
    "label_length",
    "insertmanyvalues_page_size",
    "server_version_info",
    "_json_serializer",
    "_json_deserializer",
)


def _options(dialect: SQLiteDialect_pysqlite) -> list[Any]:
    return [getattr(dialect, name, None) for name in OPTIONS]


def _alike(dialect: SQLiteDialect_pysqlite, other: object) -> bool:
    return dialect is other or (
        type(other) is type(dialect)
        and isinstance(other, SQLiteDialect_pysqlite)
        and _options(dialect) == _options(other)
    )


def shared() -> None:
    """From now on the engines of this process, and those of its forks, share what they have compiled."""
    if SQLiteDialect_pysqlite.__eq__ is _alike:
        return
    statements: LRUCache[Any, Any] = LRUCache(5_000)
    begin: Any = Engine.__init__

    def made(engine: Engine, *words: Any, **options: Any) -> None:
        begin(engine, *words, **options)
        if isinstance(engine.dialect, SQLiteDialect_pysqlite):
            engine._compiled_cache = statements

    Engine.__init__ = made  # type: ignore[method-assign, assignment]  # replaced in SQLAlchemy
    # A statement is found again by its own key and its dialect. Each engine has a dialect of its own.
    SQLiteDialect_pysqlite.__eq__ = _alike  # type: ignore[method-assign, assignment]  # replaced in SQLAlchemy
    SQLiteDialect_pysqlite.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[method-assign, assignment]  # replaced in SQLAlchemy
