"""The result of a check, before it becomes a result of Dagster. It only carries the decision and its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import duckdb

from asset_checks.parameters import Parameters

T = TypeVar("T")
Severity = Literal["critical", "high", "medium", "low"]
Status = Literal["ok", "failed", "unknown"]

# Dagster has two severities. Critical and high become errors, so that a run's summary counts them as failed.
ERROR_SEVERITIES = frozenset({"critical", "high"})
PRECEDENCE: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Verdict:
    """The result of one check on one table. An `unknown` result with `passed` False is a warning and never blocks.
    With `passed` True it is only reported (too little history yet).
    """

    status: Status
    message: str
    severity: Severity = "medium"
    failure_class: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    passed: bool = False

    @classmethod
    def ok(cls, message: str, **evidence: Any) -> Verdict:
        return cls("ok", message, "low", None, evidence, passed=True)

    @classmethod
    def fail(cls, message: str, severity: Severity, failure_class: str, **evidence: Any) -> Verdict:
        return cls("failed", message, severity, failure_class, evidence)

    @classmethod
    def unknown(cls, message: str, passed: bool = False, **evidence: Any) -> Verdict:
        return cls("unknown", message, "low", "unknown", evidence, passed=passed)


@dataclass(frozen=True)
class Situation:
    """The values that every check gets. `now` is an aware time in UTC. `parameters` holds the limits. `timezone` is the
    zone in which business dates begin and end.
    """

    connection: duckdb.DuckDBPyConnection
    now: datetime
    run_id: str
    parameters: Parameters
    timezone: str
    domain: str = ""
    # What a step has already measured. It is kept, because several checks ask the same question about the same table.
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def today(self) -> date:
        """The local date. Business dates after it are in the future."""
        return self.now.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def now_utc(self) -> datetime:
        """The clock as the warehouse stores it: UTC without an offset."""
        return self.now.astimezone(UTC).replace(tzinfo=None)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters or []).fetchall()

    def once(self, key: tuple[str, ...], compute: Callable[[], T]) -> T:
        """The value that this step computed for `key`. The first caller computes it."""
        if key not in self.memo:
            self.memo[key] = compute()
        value: T = self.memo[key]
        return value

    def exists(self, table: str) -> bool:
        """True for a table or view `schema.table` of the warehouse."""
        schema, _, name = table.partition(".")
        found = self.rows(
            "select count(*) from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
        )
        return bool(found[0][0])


def worst(*severities: Severity) -> Severity:
    """The first of critical, high, medium, low that occurs."""
    return min(severities, key=PRECEDENCE.index)
