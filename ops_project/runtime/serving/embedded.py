"""The embedded store: one SQLite file in the home, which applications may read while a load writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ops_project.runtime.serving.store import Item, LoadResult


class EmbeddedStore:
    """Items in SQLite, in write-ahead mode; a load is one transaction."""

    def __init__(self, file: Path, name: str) -> None:
        self.name = name
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=30)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute(
            "create table if not exists items ("
            "partition text not null, sort text not null, value text not null, primary key (partition, sort)"
            ") without rowid"
        )
        self._connection.execute("create index if not exists items_by_sort on items (sort)")

    def replace(self, sort: str, items: Iterable[Item]) -> LoadResult:
        """Make `items` all there is under this sort key, in one transaction."""
        new = {item.partition: encode(item.value) for item in items}
        cursor = self._connection
        cursor.execute("begin immediate")
        try:
            old = dict(cursor.execute("select partition, value from items where sort = ?", [sort]).fetchall())
            gone = [(partition, sort) for partition in old if partition not in new]
            changed = [(key, sort, text) for key, text in new.items() if old.get(key) != text]
            cursor.executemany("delete from items where partition = ? and sort = ?", gone)
            cursor.executemany("insert or replace into items values (?, ?, ?)", changed)
            cursor.execute("commit")
        except BaseException:
            cursor.execute("rollback")
            raise
        return LoadResult(len(changed), len(gone), len(new) - len(changed), 0)

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """The value under a key, None where there is none."""
        row = self._connection.execute(
            "select value from items where partition = ? and sort = ?", [partition, sort]
        ).fetchone()
        return json.loads(row[0], parse_float=Decimal) if row else None

    def sort_keys(self) -> list[str]:
        """Every sort key that has items, in order."""
        return [row[0] for row in self._connection.execute("select distinct sort from items order by 1")]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def encode(value: Mapping[str, Any]) -> str:
    """Canonical JSON: the same value is the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # Read back as Decimal, a float's shortest text has the decimal's own digits, up to 15 of them.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be stored in the serving store: {value!r}")
