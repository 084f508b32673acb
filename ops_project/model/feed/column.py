"""One column of a feed: the text that it is read from, its type, and its allowed values. The module only holds this
data.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from ops_project.model.base import Model
from ops_project.model.feed.engine_regex import refused_by_engine
from ops_project.model.feed.moment_format import UNIX, unknown_codes, valid_codes
from ops_project.model.timezone import Timezone

_TYPE = re.compile(r"(string|smallint|integer|bigint|double|boolean|date|time|timestamp)|decimal\((\d+), *(\d+)\)")
_SQL = {
    "string": "VARCHAR",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
}
NUMERIC = frozenset({"smallint", "integer", "bigint", "double", "decimal"})
RESERVED = frozenset({"_batch_id", "_line", "_load_seq", "ingestion_timestamp"})
_WHOLE = frozenset({"zeros", "exponent"})
Accept = Literal["zeros", "exponent", "rounding", "nan", "infinity"]


class Column(Model):
    """A contract column. In YAML, the type alone is a short form: `quantity: integer`."""

    model_config = ConfigDict(str_strip_whitespace=False, populate_by_name=True)

    type: str
    """The type of the values: string, smallint, integer, bigint, decimal(p,s), double, boolean, date, time or timestamp
    (stored as UTC).
    """
    source: str | None = Field(default=None, alias="from")
    """The raw field's name in the file; default: the column's own name. In a file without a header, the columns read
    the fields in their order, unless `raw_fields` names the fields.
    """
    expression: str | None = None
    """SQL over the raw text fields in place of `from`. It may also use `_line`, `_file_name` and `_file_date`."""
    formats: tuple[str, ...] = Field(default=(), alias="format")
    """strptime formats for date, time and timestamp. The first format that fits is used. Default: ISO 8601."""
    timezone: Timezone | None = None
    """Zone of a timestamp that has no offset; default UTC."""
    ambiguous: Literal["first", "second", "refuse"] = "first"
    """Which of the two moments is meant if a local time occurs twice because clocks go back. refuse: the row is
    quarantined. If a file has two rows with that time and the same key, the earlier row is the first moment and the
    later row the second.
    """
    required: bool = False
    """True: a row without a value is quarantined."""
    may_be_absent: bool = False
    """Whether the file may lack the whole column. Its values are NULL then."""
    accept: frozenset[Accept] = frozenset()
    """Spellings that are accepted although they are refused by default: zeros (17850.0 as integer), exponent (9e+05),
    rounding (to the decimal's scale, half away from zero), nan, infinity.
    """
    trim: bool = False
    """For strings: remove surrounding blanks. Other types ignore them in any case."""
    null_values: tuple[str, ...] | None = None
    """The null values of this column, in place of those of the format."""
    true_values: tuple[str, ...] = ("true", "t", "yes", "y", "1")
    """Texts that mean true."""
    false_values: tuple[str, ...] = ("false", "f", "no", "n", "0")
    """Texts that mean false."""
    allowed: tuple[str, ...] | None = None
    """The only values that are accepted."""
    min: str | None = None
    """The least value that is accepted."""
    max: str | None = None
    """The largest value that is accepted."""
    max_length: int | None = Field(default=None, ge=1)
    """The largest number of characters of a string."""
    pattern: str | None = None
    """Regular expression (RE2) that the whole value must match."""
    personal_data: bool = False
    """Whether the column is masked in messages, samples and evidence."""
    monitor: bool = True
    """True: the values are compared with those of earlier files (check `column_values`)."""
    description: str = ""
    """What the column contains."""

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"type": value}
        if isinstance(value, dict):
            value = dict(value)
            for key in ("format", "formats"):
                if isinstance(value.get(key), str):
                    value[key] = (value[key],)
            for key in ("min", "max"):
                if value.get(key) is not None:
                    value[key] = str(value[key])
            for key in ("allowed", "true_values", "false_values", "null_values"):
                if isinstance(value.get(key), list | tuple):
                    value[key] = tuple(_text(item) for item in value[key])
        return value

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        found = _TYPE.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"type {value!r} is not known; valid: {', '.join(_SQL)}, decimal(p,s)")
        if found[2] and not (1 <= int(found[2]) <= 38 and int(found[3]) <= int(found[2])):
            raise ValueError(f"type {value!r}: precision is 1 to 38 and scale at most the precision")
        return value.strip().replace(" ", "")

    @model_validator(mode="after")
    def _consistent(self) -> Column:
        if self.source is not None and self.expression is not None:
            raise ValueError("from and expression exclude each other")
        if self.formats and self.base_type not in ("date", "time", "timestamp"):
            raise ValueError(f"format is for date, time and timestamp, not {self.type}")
        if self.timezone is not None and self.base_type != "timestamp":
            raise ValueError(f"timezone is for timestamp, not {self.type}")
        if "ambiguous" in self.model_fields_set and self.timezone in (None, "UTC"):
            raise ValueError("ambiguous is for a timestamp with a timezone whose clocks are changed")
        for item in self.formats:
            if item not in UNIX and (unknown := unknown_codes(item)):
                raise ValueError(f"format {item!r}: {unknown[0]} is not known; valid: {valid_codes()}, unix")
        if self.trim and self.base_type != "string":
            raise ValueError(f"trim is for string; surrounding blanks of {self.type} never matter")
        if self.max_length is not None and self.base_type != "string":
            raise ValueError(f"max_length is for string, not {self.type}")
        known: dict[str, frozenset[str]] = {
            "integer": _WHOLE,
            "bigint": _WHOLE,
            "smallint": _WHOLE,
            "decimal": frozenset({"exponent", "rounding"}),
            "double": frozenset({"nan", "infinity"}),
        }
        valid = known.get(self.base_type, frozenset())
        if strangers := sorted(str(item) for item in self.accept if item not in valid):
            names = ", ".join(sorted(valid)) or "none"
            raise ValueError(f"accept {', '.join(strangers)} means nothing for {self.type}; valid: {names}")
        for name in ("min", "max"):
            self._bound(name)
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"pattern is not a regular expression: {error}") from None
            if reason := refused_by_engine(self.pattern):
                raise ValueError(f"pattern {self.pattern!r} is not one that the engine knows (RE2): {reason}")
        return self

    def _bound(self, name: str) -> None:
        text = getattr(self, name)
        if text is None:
            return
        try:
            if self.base_type in NUMERIC:
                Decimal(text)
            elif self.base_type == "date":
                date.fromisoformat(text)
            elif self.base_type == "timestamp":
                datetime.fromisoformat(text)
            else:
                raise ValueError(f"{name} is for numbers, dates and timestamps, not {self.type}")
        except InvalidOperation:
            raise ValueError(f"{name} {text!r} is not a number") from None

    @property
    def base_type(self) -> str:
        return self.type.partition("(")[0]

    @property
    def sql_type(self) -> str:
        """The DuckDB type."""
        return _SQL.get(self.type) or self.type.upper()

    @property
    def scale(self) -> int:
        """The digits after the decimal point; 0 for other types."""
        return int(self.type.partition(",")[2].rstrip(")")) if self.base_type == "decimal" else 0

    @property
    def precision(self) -> int:
        """The digits of a decimal in all; 0 for other types."""
        return int(self.type.partition("(")[2].partition(",")[0]) if self.base_type == "decimal" else 0


def _text(item: Any) -> str:
    # YAML reads yes, no, 1 and 2010-12-01 as typed values, but a contract compares texts.
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item)
