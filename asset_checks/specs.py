"""What a check needs to know about a table, as plain values. A check does not know where the values come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal


def always(_day: date) -> bool:
    """A calendar without closed days."""
    return True


@dataclass(frozen=True)
class Reference:
    """The `columns` of the table refer to the `parent_columns` of `parent` (schema.table). A NULL refers to nothing."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class ControlTotal:
    """One number that is computed twice: on the table `source` (`schema.table`), and on the table that is checked,
    which is the target.

    `source_value` and `target_value` are SQL aggregates. If both sides name a date column, the numbers are compared for
    each date. So two errors that cancel each other out are still found.
    """

    name: str
    source: str
    source_value: str
    target_value: str
    source_date: str | None = None
    target_date: str | None = None
    source_where: str = "true"
    target_where: str = "true"
    tolerance: float = 0.0
    source_rows: str | None = None
    """An SQL condition for the rows of `source` that count; None if all count. `{dates}` in it stands for the condition
    on the date.
    """


@dataclass(frozen=True)
class AnomalySeries:
    """A table of daily verdicts that SQL has already computed (gold.data_anomalies). The check only reads them."""

    date_column: str
    status_column: str = "status"
    anomalous: str = "Anomaly Detected"
    unknown: tuple[str, ...] = ()
    evidence_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One table that is checked."""

    schema: str
    table: str
    tier: int = 3
    runbook: str | None = None
    # The feed whose batches land in this table; only for tables in bronze. The checks of arrival, volume, quarantine
    # and conservation need it.
    feed: str | None = None
    # All feeds from which the table is built. The dates that these feeds have touched decide which part of a large
    # table is scored.
    feeds: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    # Where the key must be unique. `table`: in the whole table. `batch`: within one batch; a later batch may repeat the
    # key, as full extracts do. `version`: a later batch may bring the key again with other content, as updates do. If
    # it brings the key with the same values in the columns `content`, this is a duplicate.
    key_scope: Literal["table", "batch", "version"] = "table"
    content: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    # Rule → SQL condition that holds for a valid row. NULL counts as valid here, because completeness counts NULLs.
    valid_when: Mapping[str, str] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    # The column with the time of the data: a DATE, which counts as the end of that day, or a TIMESTAMP in UTC. None if
    # the table has no time; then freshness does not apply.
    time_column: str | None = None
    # The DATE column by which an event table grows. None: the whole table is scored.
    date_column: str | None = None
    # An SQL condition that holds only for delivered rows. For example, a satellite of a vault contains a ghost record
    # that no feed has delivered.
    real_rows: str = "true"
    # True if the table repeats a full extract for each date. Then only the newest date is scored.
    full_extract: bool = False
    # Returns False for a business date on which no data is due, such as a weekend or a closed day.
    open_on: Callable[[date], bool] = always
    # False if the contract says that nothing will ever arrive. Then an empty table is correct.
    expected: bool = True
    sequence_column: str | None = None
    control_totals: tuple[ControlTotal, ...] = ()
    anomalies: AnomalySeries | None = None
    # The model that fills the table, and the names of those of its readings that are checked.
    model: str | None = None
    health: tuple[str, ...] = ()
    # Columns whose values are compared with earlier files: name → number, whole, moment, flag or text.
    monitored: Mapping[str, str] = field(default_factory=dict)
    # Columns whose values are masked in every sample.
    personal: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"
