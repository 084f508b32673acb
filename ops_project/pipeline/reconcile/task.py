"""The values that every step of a comparison uses: the connection and the names of the temporary tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb


@dataclass(frozen=True)
class Task:
    """The connection and names that every step needs. The names of the task's tables begin with `prefix`."""

    connection: duckdb.DuckDBPyConnection
    prefix: str
    keys: tuple[str, ...]
    measures: tuple[str, ...]
    attributes: tuple[str, ...]

    @property
    def key_list(self) -> str:
        return ", ".join(f"k{index}" for index in range(len(self.keys)))

    @property
    def has_key(self) -> str:
        return " and ".join(f"k{index} is not null" for index in range(len(self.keys)))

    @property
    def checksum(self) -> str:
        """SQL of the checksum: the sum of 64-bit row hashes over key, measures and attributes. The sum is 128 bits
        wide, so it does not overflow.
        """
        columns = [f"k{i}" for i in range(len(self.keys))] + [f"m{i}" for i in range(len(self.measures))]
        columns += [f"a{i}" for i in range(len(self.attributes))]
        return f"sum(hash({', '.join(columns)}))"

    @property
    def sums(self) -> str:
        """SQL of the sum and the count of each measure, as `, sum(m0) as m0, count(m0) as n0 …`."""
        return "".join(f", sum(m{i}) as m{i}, count(m{i}) as n{i}" for i in range(len(self.measures)))

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()
