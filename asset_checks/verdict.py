"""What a check found, before Dagster hears of it. Refuses to decide: it only carries the decision and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import duckdb

from asset_checks.parameters import Parameters

Severity = Literal["critical", "high", "medium", "low"]
Status = Literal["ok", "failed", "unknown"]

# Dagster knows two severities. Critical and high are errors, so that a run's summary counts them as failed.
ERROR_SEVERITIES = frozenset({"critical", "high"})
PRECEDENCE: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Verdict:
    """One check on one table.

    `unknown` with `passed` False warns and never blocks; with `passed` True it only says so (too little history yet).
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
    """What every check is given: the warehouse, the clock (aware UTC), the lines that are drawn, where days begin."""

    connection: duckdb.DuckDBPyConnection
    now: datetime
    run_id: str
    parameters: Parameters
    timezone: str

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters or []).fetchall()

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
