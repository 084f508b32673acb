"""SQL of the columns of a contract over the raw fields of one file. It also gives the line, the ordinal and the
business date of each row.
"""

from __future__ import annotations

from datetime import date

from ops_project.model.feed.column import Column
from ops_project.model.feed.feed import Contract, Feed
from ops_project.pipeline.landing.read import casts, moments
from ops_project.pipeline.landing.read.own_columns import OWN, own
from ops_project.pipeline.landing.read.source import Source
from ops_project.sql_text import identifier, literal


class StagedColumns:
    """SQL of the columns, the line, the ordinal and the business date, for the staged table and the checks."""

    def __init__(self, feed: Feed, contract: Contract, source: Source, file_name: str, file_date: date) -> None:
        self.feed, self.contract, self.source = feed, contract, source
        self.file_name, self.file_date = file_name, file_date
        self.positions = {name.strip(): index for index, name in reversed(list(enumerate(source.fields)))}
        self.date_column = None if feed.business_date == "file" else feed.business_date

    def nth(self, name: str) -> int:
        return list(self.contract.columns).index(name)

    def value(self, name: str) -> str:
        """SQL of a column's typed value, for the staged table and the checks. Columns are named by number there. A
        contract may call a column `rowid`, `_state` or another name that already has a meaning.
        """
        return f"_c{self.nth(name)}"

    @property
    def by_name(self) -> str:
        """The staged columns under their contract's names, as an SQL list. SQL that people write uses these names."""
        return ", ".join(f"{self.value(name)} AS {identifier(name)}" for name in self.contract.columns)

    def _required(self, name: str) -> bool:
        return self.contract.columns[name].required or name in self.feed.key or name == self.date_column

    def _nulls(self, column: Column) -> tuple[str, ...]:
        return column.null_values if column.null_values is not None else self.contract.format.null_values

    @property
    def tells_empty_rows(self) -> bool:
        """True if rows without any value need a check of their own. They need it if no other check refuses them: no
        column is required, and an empty text means no value.
        """
        read = [(name, column) for name, column in self.contract.columns.items() if column.expression is None]
        return bool(read) and all("" in self._nulls(column) and not self._required(name) for name, column in read)

    def _position(self, name: str, column: Column) -> int | None:
        return self.positions.get((column.source if column.source is not None else name).strip())

    def _text(self, name: str, column: Column, named: bool) -> str:
        """SQL of a column's text."""
        if column.expression is not None:
            return casts.text_of(own(f"_e{self.nth(name)}"), column, self.contract.format, False)
        position = self._position(name, column)
        if position is None:
            return casts.text_of("NULL::VARCHAR", column, self.contract.format, False)
        raw, spelled = (own(item) if named else item for item in (f"_r{position}", f"_s{position}"))
        written = self.source.format.kind == "csv"
        return casts.text_of(raw, column, self.contract.format, written, spelled if self.source.spelled else None)

    def _all_empty(self, named: bool) -> str:
        """SQL that is true if every field of the row holds only blanks."""
        names = [f"_r{index}" for index in range(len(self.source.fields))]
        texts = [own(name) if named else name for name in names] or ["''"]
        return f"{moments.trimmed('concat(' + ', '.join(texts) + ')')} = ''"

    def _named_fields(self) -> str:
        """The raw fields under their names, and the known facts about the file, for expressions of the contract. If two
        names differ only in case, SQL can use only one of them. The first one is listed.
        """
        known, named = {"_line", "_file_name", "_file_date"}, ""
        for index, name in enumerate(item.strip() for item in self.source.fields):
            if name and name.lower() not in known and not name.lower().startswith(OWN):
                known.add(name.lower())
                named += f", _r{index} AS {identifier(name)}"
        if self.source.materialised:
            named += ", _line"
        return f"{named}, {literal(self.file_name)} AS _file_name, DATE '{self.file_date}' AS _file_date"

    @property
    def business_date(self) -> str:
        """SQL of a staged row's business date."""
        if self.date_column is None:
            return f"DATE '{self.file_date}'"
        return self._local_date(self.date_column)

    def _local_date(self, name: str) -> str:
        """SQL of the day of a date or timestamp column. The day is the one in the column's own time zone."""
        column, value = self.contract.columns[name], self.value(name)
        if column.base_type == "timestamp" and column.timezone not in (None, "UTC"):
            assert column.timezone is not None
            return f"CAST(timezone({literal(column.timezone)}, timezone('UTC', {value})) AS DATE)"
        return f"CAST({value} AS DATE)"

    @property
    def clock_keys(self) -> list[str]:
        """The key columns whose local times can be ambiguous, because an hour occurs twice when clocks go back. For
        each of them, the staged column `_twice_<i>` says whether the time of the row is ambiguous.
        """
        columns = self.contract.columns
        return [
            name
            for name in self.feed.key
            if columns[name].timezone not in (None, "UTC") and columns[name].ambiguous != "refuse"
        ]

    def _twice(self) -> list[str]:
        return [
            f"{moments.exists_twice(self.value(name), f'_t{self.nth(name)}', self.contract.columns[name])} "
            f"AS _twice_{self.nth(name)}"
            for name in self.clock_keys
        ]

    @property
    def _carried(self) -> list[str]:
        return ["_ord", "_line"] if self.source.materialised else []

    @property
    def ordinal(self) -> str:
        """SQL of a staged row's ordinal. The rowid of a temporary table counts the rows in the order of the file."""
        return "_ord" if self.source.materialised else "rowid"

    @property
    def line(self) -> str:
        """SQL of a staged row's physical line."""
        return "_line" if self.source.materialised else f"(rowid + {self.source.first + 1})"
