"""Describes how the bytes of an inbound file become records of text fields. The module reads no file."""

from __future__ import annotations

import codecs
import contextlib
import re
from typing import Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from ops_project.model.base import Model

Kind = Literal["csv", "jsonl", "json", "parquet", "lines"]
_CSV_ONLY = ("delimiter", "quote", "escape", "header", "comment")
_DEFAULT_MAX_RECORD = 16 * 1024 * 1024
_DEFAULT_MAX_UNPACKED = 32 * 1024 * 1024 * 1024


class Format(Model):
    """How a file is cut into records. All kinds share one flat set of keys. A kind refuses keys it does not use."""

    # A delimiter may be a tab, and a null value may be a blank. So nothing is stripped here.
    model_config = ConfigDict(str_strip_whitespace=False)

    kind: Kind = "csv"
    """How records are written in the file."""
    encoding: str = "utf-8"
    """A Python codec name. A byte order mark is accepted and removed."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """The character between two fields."""
    quote: str | None = Field(default='"', min_length=1, max_length=1)
    """The character around a field that may hold delimiters and line ends. None: the file has no quotes."""
    escape: str | None = Field(default=None, min_length=1, max_length=1)
    """The character that, inside quotes, escapes a quote or itself. Elsewhere it is an ordinary character. None: a
    quote inside quotes is doubled.
    """
    header: bool = True
    """True: the first record names the fields."""
    skip_lines: int = Field(default=0, ge=0)
    """The number of physical lines before the header that are not records."""
    comment: str | None = Field(default=None, min_length=1)
    """Lines that start with this text are not records."""
    pattern: str | None = None
    """For lines: a regular expression whose named groups are the raw fields. Without it, the only raw field is `line`.
    """
    records: str | None = Field(default=None, min_length=1)
    """For JSON: the key of the array of records, with dots if it is nested. None means that the document itself is the
    array, or one record.
    """
    null_values: tuple[str, ...] = ("",)
    """Texts that mean `no value`. They are compared exactly for strings, and without surrounding blanks for other
    types.
    """
    decimal: str = Field(default=".", min_length=1, max_length=1)
    """The decimal mark in numbers."""
    thousands: str | None = Field(default=None, min_length=1, max_length=1)
    """The mark between groups of three digits."""
    max_record_bytes: int = Field(default=_DEFAULT_MAX_RECORD, ge=1024)
    """If a record is longer, the file is refused: its line ends or quotes are not those of the contract."""
    max_unpacked_bytes: int = Field(default=_DEFAULT_MAX_UNPACKED, ge=1024)
    """A compressed file that unpacks to more bytes is refused. Unpacking stops at this number."""
    max_ratio: int = Field(default=200, ge=2)
    """The largest number of bytes to which one byte of a compressed file may unpack. The number is checked as soon as
    64 MiB are unpacked. Tables of text usually have 3 to 50.
    """
    max_columns: int = Field(default=4096, ge=1)
    """A file with more fields in its header is refused."""

    @property
    def is_json(self) -> bool:
        """Whether a record is a JSON object, whose keys have no order."""
        return self.kind in ("jsonl", "json")

    @property
    def has_lines(self) -> bool:
        """Whether messages identify a record by its line. A record of another kind is identified by its number."""
        return self.kind not in ("json", "parquet")

    @property
    def acting_escape(self) -> str | None:
        """The escape character, if it differs from the quote; None if quotes are doubled."""
        return None if self.kind != "csv" or self.quote is None or self.escape == self.quote else self.escape

    @field_validator("encoding")
    @classmethod
    def _known_codec(cls, value: str) -> str:
        try:
            name = codecs.lookup(value).name
            with contextlib.suppress(UnicodeError):
                b"a".decode(name)  # This call raises LookupError for hex and base64, which are codecs, but not of text.
            return name
        except LookupError:
            raise ValueError(f"encoding {value!r} is not known; for example utf-8, latin-1, cp1252, utf-16") from None

    @field_validator("pattern")
    @classmethod
    def _regex(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groupindex
            except re.error as error:
                raise ValueError(f"pattern is not a regular expression: {error}") from None
            if not groups:
                raise ValueError("pattern has no named group; write (?P<name>…) for each raw field")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Format:
        given = self.model_fields_set
        foreign = set(_CSV_ONLY) - ({"comment"} if self.kind == "lines" else set())
        if self.kind != "csv" and (strangers := sorted(given & foreign)):
            raise ValueError(f"{', '.join(strangers)}: only for kind csv, not {self.kind}")
        if self.kind != "lines" and self.pattern is not None:
            raise ValueError(f"pattern: only for kind lines, not {self.kind}")
        if self.kind != "json" and self.records is not None:
            raise ValueError(f"records: only for kind json, not {self.kind}")
        if self.records is not None and "" in self.records.split("."):
            raise ValueError(f"records: {self.records!r} is neither a key nor keys with dots between them")
        if self.kind == "json" and "skip_lines" in given:
            raise ValueError("skip_lines: a JSON document has none")
        if self.kind == "parquet" and (strangers := sorted(given & {"encoding", "skip_lines"})):
            raise ValueError(f"{', '.join(strangers)}: a Parquet file has none")
        special = [self.delimiter, self.quote, self.escape]
        if self.kind == "csv" and (self.delimiter == self.quote or any(char in ("\r", "\n", "\0") for char in special)):
            raise ValueError("delimiter, quote and escape must differ and be neither a line end nor NUL")
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same character")
        return self


class Control(Model):
    """A small file beside the data file, with the number of its records. The two together are one delivery."""

    file: str
    """Name with `{name}` (the data file's name) or `{stem}` (without its extensions): `{stem}.ctl`."""
    rows: str = r"(?P<rows>\d+)"
    """A regular expression that is searched in the control file. Its group `rows` is the count."""
    required: bool = True
    """True: a data file without its control file is incomplete and waits."""
    on_mismatch: Literal["reject", "load"] = "reject"
    """What happens to a file with another number of records."""

    @field_validator("file")
    @classmethod
    def _named_after_data(cls, value: str) -> str:
        if ("{name}" not in value and "{stem}" not in value) or "/" in value:
            raise ValueError(f"control file {value!r} must hold {{name}} or {{stem}} of its data file, and no path")
        return value

    @field_validator("rows")
    @classmethod
    def _group(cls, value: str) -> str:
        return _count_regex(value)


class Trailer(Model):
    """The last line of the file, which holds the number of records and is not a record itself."""

    pattern: str
    """A regular expression for the whole line. Its group `rows` is the count."""
    required: bool = True
    """True: a file without a trailer counts as cut off."""
    on_mismatch: Literal["reject", "load"] = "reject"
    """What happens to a file with another number of records."""

    @field_validator("pattern")
    @classmethod
    def _group(cls, value: str) -> str:
        return _count_regex(value)


def _count_regex(value: str) -> str:
    try:
        groups = re.compile(value).groupindex
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from None
    if "rows" not in groups:
        raise ValueError(rf"{value!r} has no group for the count; write (?P<rows>\d+)")
    return value
