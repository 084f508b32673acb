"""A feed: the contract between a source and its bronze table. The module holds the contract and finds the version that
applies on a date. `pipeline/landing` reads the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator, model_validator

from ops_project.model.base import Model
from ops_project.model.feed.arrival import Arrival, Closed, Expected
from ops_project.model.feed.column import RESERVED, Column
from ops_project.model.feed.delivery_rules import NAME, DatedBy, Drift, KeepFirst, Volume
from ops_project.model.feed.file_format import Control, Format, Trailer
from ops_project.model.feed.inbound import Named, compile_inbound
from ops_project.model.feed.plausible import Plausible
from ops_project.model.feed.source_contact import SourceContact
from ops_project.model.feed.version import Version
from ops_project.model.timezone import Timezone


@dataclass(frozen=True)
class Contract:
    """The contract for a file of one business date."""

    version: int
    format: Format
    columns: Mapping[str, Column]

    @property
    def raw_names(self) -> dict[str, str]:
        """Column → name of its raw field, in the order of the columns. Columns with an expression are left out."""
        return {name: column.source or name for name, column in self.columns.items() if column.expression is None}


class Feed(Model):
    """One feed. Its bronze table is `bronze.<name>`."""

    name: str = Field(pattern=NAME)
    """The feed's name, which is its key in the file."""
    domain: str = Field(pattern=NAME)
    """The feed's domain, which is that of the file."""
    description: str = ""
    """What the feed contains."""
    owners: tuple[str, ...] = ()
    """Default: the owners of the domain."""
    tier: int | None = Field(default=None, ge=1, le=3)
    """Default: the tier of the domain."""
    runbook: str | None = None
    """Slug of the runbook for failures of the feed."""
    contact: SourceContact = SourceContact()
    """The contact at the source."""
    enabled: bool = True
    """False: the feed is ignored."""
    inbound: tuple[str, ...] = Field(min_length=1)
    """Patterns of the file names."""
    extract: Literal["full", "delta"] = "delta"
    """What a file holds. full: every file holds all records. delta: a file holds only the new and changed records."""
    format: Format = Format()
    control: Control | None = None
    trailer: Trailer | None = None
    columns: dict[str, Column] = Field(min_length=1)
    raw_fields: tuple[str, ...] = ()
    """Raw fields of the file that no `from` names. Expressions use them, or nothing does. For a file without header,
    this list gives the order of all fields.
    """
    key: tuple[str, ...] = ()
    """The columns that identify a record."""
    keep_first: KeepFirst | None = None
    duplicate_keys: Literal["later", "all"] = "later"
    """Which rows of a repeated key are quarantined: those after the first, or all."""
    replaces_by: tuple[str, ...] = ()
    """For delta extracts: a part of the key, for example the order of an order line. A file that has a value of this
    part has all rows of the value. The rows of the value in earlier files no longer count.
    """
    latest_by: tuple[str, ...] = ()
    """Columns that show which of several deliveries of a key is the newest, the most important column first: a
    sequence number or a time of change at the source. The row with the largest value counts. If these columns are
    equal or absent, the date of the file decides.
    """
    dated_by: DatedBy | None = None
    """For delta extracts: another feed of the domain whose date applies to the rows of this feed. For example, an order
    line has the date of its order.
    """
    valid_days: int = Field(default=0, ge=0, le=366)
    """The number of further days for which a row counts, unless a newer row of its key comes first. For example, an
    exchange rate is valid until the next rate. A delivery of such a feed changes these further days as well.
    """
    absent_keys: Literal["keep", "end"] = "keep"
    """For full extracts: whether a key that is missing from an extract keeps its last version, or ends on that date."""
    filter: str | None = None
    """A condition in SQL over the raw text fields. Rows for which it is not true are counted as filtered."""
    rules: dict[str, str] = {}
    """Name → SQL over the contract's columns. A row for which it is false is quarantined."""
    business_date: str = "file"
    """The origin of the business date. `file`: the date in the file's name, or the day of arrival if the name has no
    date. Otherwise the name of a date or timestamp column.
    """
    date_timezone: Timezone | None = None
    """The zone in which the date in the file's name is a day. The day of arrival is also a day in this zone. Default:
    the zone of `arrival`. A file that is dated after today waits.
    """
    expected: Expected = Expected(kind="never")
    closed: Closed = Closed()
    arrival: Arrival = Arrival()
    start: date | None = None
    """The first date that is expected; default: the first date of any file."""
    plausible: Plausible = Plausible()
    volume: Volume = Volume()
    drift: Drift = Drift()
    version: int = Field(default=1, ge=1)
    """The number of the contract before the entries of `versions`."""
    versions: tuple[Version, ...] = ()

    _contracts: dict[int, Contract] = PrivateAttr(default_factory=dict)

    @field_validator("inbound", "key", "replaces_by", "latest_by", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("expected", mode="before")
    @classmethod
    def _yaml_false(cls, value: Any) -> Any:
        return "never" if value is None else value

    @field_validator("inbound")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            compile_inbound(text)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Feed:
        for version in self.versions:
            if version.columns is not None and (version.add or version.drop):
                raise ValueError(f"version {version.version}: columns replaces all; it excludes add and drop")
        numbers = [self.version, *(version.version for version in self.versions)]
        dates = [version.effective for version in self.versions]
        if numbers != sorted(set(numbers)) or dates != sorted(set(dates)):
            raise ValueError("versions must rise in number and in effective date")
        for contract in self.contracts():
            self._check(contract)
        if self.keep_first is not None and not self.key:
            raise ValueError("keep_first needs a key")
        if self.trailer is not None and not self.format.has_lines:
            raise ValueError(f"trailer: a file of kind {self.format.kind} has none")
        self._check_what_vanishes()
        return self

    def _check_what_vanishes(self) -> None:
        if self.replaces_by:
            if self.extract != "delta":
                raise ValueError("replaces_by is for a delta; each file of a full extract replaces all earlier rows")
            if not set(self.replaces_by) < set(self.key):
                raise ValueError(
                    f"replaces_by ({', '.join(self.replaces_by)}) must be a part of the key; "
                    f"valid: some, not all, of {', '.join(self.key) or 'a key, which the feed lacks'}"
                )
        if self.absent_keys == "end":
            if self.extract != "full" or not self.key or self.business_date != "file":
                raise ValueError("absent_keys: end needs extract: full, a key, and business_date: file")
            if len(self.inbound) > 1 or compile_inbound(self.inbound[0]).has_parts:
                raise ValueError(
                    "absent_keys: end needs extracts of one file: a missing part would end every key in it; "
                    "valid: one pattern without *, ? and {part}"
                )

    def _check(self, contract: Contract) -> None:
        columns, where = contract.columns, f"version {contract.version}: " if self.versions else ""
        for name in columns:
            if name in RESERVED or (name == "business_date" and self.business_date != "business_date"):
                raise ValueError(f"{where}column {name!r} is reserved: landing fills it")
            if not name.isidentifier() or name != name.lower():
                raise ValueError(f"{where}column {name!r} must be lower case letters, digits and underscores")
        for name in self.key:
            if name not in columns:
                raise ValueError(f"{where}key column {name!r} is not a column; valid: {', '.join(columns)}")
        for name in self.latest_by:
            if name not in columns:
                raise ValueError(f"{where}latest_by {name!r} is not a column; valid: {', '.join(columns)}")
        for name in self.dated_by.columns if self.dated_by is not None else ():
            if name not in columns:
                raise ValueError(f"{where}dated_by: {name!r} is not a column; valid: {', '.join(columns)}")
        if self.business_date != "file":
            column = columns.get(self.business_date)
            if column is None or column.base_type not in ("date", "timestamp"):
                valid = [name for name, item in columns.items() if item.base_type in ("date", "timestamp")]
                raise ValueError(
                    f"{where}business_date {self.business_date!r} is neither `file` nor a date or timestamp column; "
                    f"valid: {', '.join(['file', *valid])}"
                )
        for name in self.plausible.columns:
            if name in columns and columns[name].base_type in ("date", "timestamp"):
                continue
            if name not in columns and any(name in other.columns for other in self.contracts()):
                continue
            valid = [item for item in columns if columns[item].base_type in ("date", "timestamp")]
            raise ValueError(
                f"{where}plausible: {name!r} is not a date or timestamp column; valid: {', '.join(valid) or 'none'}"
            )
        if contract.format.kind == "csv" and not contract.format.header:
            known = set(self.raw_fields)
            if known and (unknown := [raw for raw in contract.raw_names.values() if raw not in known]):
                raise ValueError(f"{where}raw_fields lacks {', '.join(map(repr, unknown))}, and the file has no header")
            if not known and any(column.expression is not None for column in columns.values()):
                raise ValueError(f"{where}a file without header whose columns are expressions needs raw_fields")

    @property
    def date_zone(self) -> ZoneInfo:
        """The zone in which the dates of file names are days."""
        return ZoneInfo(self.date_timezone) if self.date_timezone is not None else self.arrival.zone

    def contracts(self) -> list[Contract]:
        """The base contract and every version, oldest first."""
        result = [Contract(self.version, self.format, self.columns)]
        for version in self.versions:
            columns = dict(result[-1].columns)
            if version.columns is not None:
                columns = dict(version.columns)
            for name in version.drop:
                if name not in columns:
                    raise ValueError(
                        f"version {version.version}: drop {name!r} is not a column; valid: {', '.join(columns)}"
                    )
                del columns[name]
            columns |= version.add
            result.append(Contract(version.version, version.format or result[-1].format, columns))
        return result

    def at(self, day: date) -> Contract:
        """The contract for a file of business date `day`."""
        index = sum(version.effective <= day for version in self.versions)
        if index not in self._contracts:
            self._contracts[index] = self.contracts()[index]
        return self._contracts[index]

    def bronze_columns(self) -> dict[str, Column]:
        """The columns of the bronze table: every column of any version, with its newest definition."""
        result: dict[str, Column] = {}
        for contract in self.contracts():
            result |= contract.columns
        return result

    def match(self, name: str) -> Named | None:
        """The parts of an inbound file's name; None if it is not a file of this feed.

        The date and the part of a name are the slot of the file, and a file replaces the earlier file in its slot. Each
        pattern has its own slots, so a file of one pattern never replaces a file of another.

        Only slots of the second and later patterns have a prefix. So if a pattern is appended, files that were landed
        before stay in their slots.
        """
        for index, text in enumerate(self.inbound):
            if (named := compile_inbound(text).match(name)) is not None:
                return replace(named, part=f"{text}/{named.part}") if index else named
        return None

    def personal_columns(self) -> frozenset[str]:
        """Columns that hold personal data in any version."""
        return frozenset(
            name for contract in self.contracts() for name, column in contract.columns.items() if column.personal_data
        )
