"""The embedded store: one SQLite file in the home folder, from which applications may read during a load. A request
that the store refuses for lack of capacity is sent again and counted, as with DynamoDB.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ops_project.pipeline.serving.store import Item, LoadResult, Throttled, attempts

REFUSED = "ThrottlingException"


class EmbeddedStore:
    """Items in SQLite with a write-ahead log. A load is one transaction."""

    def __init__(self, file: Path, name: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._pause = pause
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
        """Replace all items under this sort key by `items`, in one transaction."""
        new = {item.partition: encode(item.value) for item in items}
        refused: sqlite3.Error | None = None
        for attempt in attempts(self._pause):
            try:
                return self._replace(sort, new, refused_before=attempt - 1)
            except sqlite3.Error as error:
                if REFUSED not in str(error):
                    raise
                refused = error
        raise Throttled(f"{self.name}: {refused}", attempt) from refused

    def _replace(self, sort: str, new: Mapping[str, str], *, refused_before: int) -> LoadResult:
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
        return LoadResult(len(changed), len(gone), len(new) - len(changed), refused_before)

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """The value under a key; None if there is none."""
        row = self._connection.execute(
            "select value from items where partition = ? and sort = ?", [partition, sort]
        ).fetchone()
        return json.loads(row[0], parse_float=Decimal) if row else None

    def sort_keys(self) -> list[str]:
        """Every sort key that has items, in order."""
        return [row[0] for row in self._connection.execute("select distinct sort from items order by 1")]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def encode(value: Mapping[str, Any]) -> str:
    """The value as canonical JSON: equal values give equal texts."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # JSON stores a float as its shortest text. If this text is read as Decimal, it has exactly the digits of the
        # original number. This holds for at most 15 digits.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be stored in the serving store: {value!r}")
