"""What a check needs to know about a table, as plain values. The source of the values does not matter."""

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
    """`columns` of the table refer to `parent_columns` of `parent` (schema.table). NULL is not a reference."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class ControlTotal:
    """One number that is computed twice: on the table `source` (`schema.table`), and on the table under check, which is
    the target. `source_value` and `target_value` are SQL aggregates. If both sides name a date column, the numbers are
    compared date by date, so that two errors that cancel out are still found.
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
    """SQL for the rows of `source` that count; None if all rows count. {dates} stands for the condition on the date."""


@dataclass(frozen=True)
class AnomalySeries:
    """A table of daily verdicts that SQL computed (gold.data_anomalies). The check reads it and computes nothing
    again.
    """

    date_column: str
    status_column: str = "status"
    anomalous: str = "Anomaly Detected"
    unknown: tuple[str, ...] = ()
    evidence_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One table under check."""

    schema: str
    table: str
    tier: int = 3
    runbook: str | None = None
    # The feed whose batches are landed in this table (only in bronze). Arrival, volume, quarantine and conservation
    # need it.
    feed: str | None = None
    # Every feed from which the table is built. The dates that these feeds touched decide which part of a large table is
    # scored.
    feeds: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    # Where the key is unique. table: in the whole table. batch: in one batch, and a later batch may repeat the key
    # (full extracts). version: a later batch may bring the key again with other content (updates). If it brings the key
    # again with the same values in the columns `content`, this is a duplicate.
    key_scope: Literal["table", "batch", "version"] = "table"
    content: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    # Rule → SQL condition that a valid row fulfils. NULL counts as valid here, because completeness counts NULLs.
    valid_when: Mapping[str, str] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    # The column with the time of the data. It is a DATE, of which the end of the day counts, or a TIMESTAMP in UTC.
    # None: the table has no time, so freshness does not apply.
    time_column: str | None = None
    # The DATE column by which an event table grows. None: the whole table is scored.
    date_column: str | None = None
    # SQL condition that only delivered rows fulfil. A satellite of a vault also contains a ghost record, which no feed
    # delivered.
    real_rows: str = "true"
    # True: the table repeats a full extract for each date, so only the newest date is scored.
    full_extract: bool = False
    # False for a business date on which no data is due (weekends, closed days).
    open_on: Callable[[date], bool] = always
    # False if the contract says that nothing will ever arrive. Then an empty table is as it should be.
    expected: bool = True
    sequence_column: str | None = None
    control_totals: tuple[ControlTotal, ...] = ()
    anomalies: AnomalySeries | None = None
    # The model that fills the table, and those of its readings that are checked.
    model: str | None = None
    health: tuple[str, ...] = ()
    # Column → number, whole, moment, flag or text, for the columns whose values are compared with earlier files.
    monitored: Mapping[str, str] = field(default_factory=dict)
    # Columns whose values are masked in every sample.
    personal: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"
