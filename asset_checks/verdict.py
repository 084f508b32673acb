"""The result of a check, before it becomes a result of Dagster. It holds only the decision and its evidence."""

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

# Dagster has two severities. Critical and high become errors, so that the summary of a run counts such a check as
# failed.
ERROR_SEVERITIES = frozenset({"critical", "high"})
PRECEDENCE: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Verdict:
    """The result of one check on one table. If the status is `unknown` and `passed` is False, the result is a warning,
    which never blocks. If the status is `unknown` and `passed` is True, the result is only reported; for example, there
    is too little history yet.
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
    """What every check is given. `now`: an aware time in UTC. `parameters`: the limits. `timezone`: the zone in which
    business dates begin and end.
    """

    connection: duckdb.DuckDBPyConnection
    now: datetime
    run_id: str
    parameters: Parameters
    timezone: str
    domain: str = ""
    # What this step has already measured. It is kept, because several checks need the same measurement of the same
    # table.
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def today(self) -> date:
        """The local date. A later business date lies in the future."""
        return self.now.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def now_utc(self) -> datetime:
        """The present time in the form in which the warehouse stores times: UTC without an offset."""
        return self.now.astimezone(UTC).replace(tzinfo=None)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters or []).fetchall()

    def once(self, key: tuple[str, ...], compute: Callable[[], T]) -> T:
        """The value that this step has computed for `key`. If there is none, `compute` is called."""
        if key not in self.memo:
            self.memo[key] = compute()
        value: T = self.memo[key]
        return value

    def exists(self, table: str) -> bool:
        """Whether the warehouse has a table or view `schema.table`. The names are read once for the step, because each
        reading costs as much as a small check. A name that is not among them is looked for again, because a check may
        have made the table.
        """
        if table in self.once(("tables",), self._tables):
            return True
        schema, _, name = table.partition(".")
        found = self.rows(
            "select count(*) from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
        )
        return bool(found[0][0])

    def _tables(self) -> frozenset[str]:
        return frozenset(
            f"{schema}.{name}"
            for schema, name in self.rows(
                "select schema_name, table_name from duckdb_tables() where database_name = current_database() "
                "union all "
                "select schema_name, view_name from duckdb_views() where database_name = current_database()"
            )
        )


def worst(*severities: Severity) -> Severity:
    """The most severe of these severities."""
    return min(severities, key=PRECEDENCE.index)
