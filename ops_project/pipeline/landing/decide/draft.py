"""Drafts a first contract from the rows of a file, for a person to read and correct. The module is pure: the rows are
an argument.

The draft proposes the narrowest type that fits every value, and states each doubtful choice with its reason. Only the
source can say which deadlines and bounds are right, so the draft contains them only as comments.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops_project.counted import counted
from ops_project.pipeline.landing.decide.dialect import Reading
from ops_project.pipeline.landing.decide.draft_types import ABSENT, Fits, comma, grouped, looks_typed, type_of
from ops_project.pipeline.landing.decide.file_names import name_pattern

__all__ = ["Draft", "DraftColumn", "draft", "inbound_of", "with_key"]

PERSONAL = re.compile(
    r"(^|_)(e?mail|e_mail|phone|telephone|tel|telefon|mobile|fax|first_name|last_name|surname|firstname|lastname|vorname"
    r"|nachname|full_name|birth|birthday|birth_date|birthdate|date_of_birth|dob|geburtsdatum|street|strasse|address"
    r"|ssn|iban|passport)($|_)"
)
EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}")


@dataclass(frozen=True)
class DraftColumn:
    """A proposed column."""

    name: str
    keys: dict[str, Any]
    notes: tuple[str, ...] = ()
    filled: bool = True
    """Whether every row has a value."""


@dataclass(frozen=True)
class Draft:
    """A proposed feed, from which its YAML is written."""

    domain: str
    feed: str
    file_name: str
    columns: tuple[DraftColumn, ...]
    layout: dict[str, Any]
    rows: int
    raw_fields: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    doubts: tuple[str, ...] = field(default=())

    def yaml(self) -> str:
        """The text of feeds/<domain>.yaml."""
        return "\n".join(_lines(self)) + "\n"


def draft(domain: str, feed: str, file_name: str, reading: Reading, fits: Fits) -> Draft:
    """The feed that fits a file.

    `fits`: tells whether landing would load these texts into a column with these keys.
    """
    layout, doubts = dict(reading.format), list(reading.doubts)
    values = [[row[index].strip() for row in reading.rows] for index in range(len(reading.fields))]
    words = {word for column in values for word in {*ABSENT} & {*column} if looks_typed(column)}
    kept = [[value for value in column if value and value not in words] for column in values]
    layout |= _separators(kept, doubts)
    if any(r"\N" in column for column in values):
        layout["null_values"] = ["", r"\N"]
    names = _names(reading.fields)
    headless = layout.get("header") is False
    columns = []
    for index, (name, source, column) in enumerate(zip(names, reading.fields, values, strict=True)):
        padded = any(row[index] != value for row, value in zip(reading.rows, column, strict=True))
        columns.append(_column(name, name if headless else source, column, layout=layout, fits=fits, padded=padded))
    path, said = name_pattern(file_name)
    if said:
        doubts.append(said)
    if "{date" not in path:
        doubts.append("no date in the file's name: the day on which a file arrives counts as its date")
    doubts += [f"{column.name}: {note}" for column in columns for note in column.notes]
    return Draft(
        domain=domain,
        feed=feed,
        file_name=file_name,
        columns=tuple(columns),
        layout=layout,
        rows=len(reading.rows),
        raw_fields=tuple(names) if headless else (),
        doubts=tuple(doubts),
    )


def inbound_of(file_name: str) -> str:
    """The pattern of a file's name, in which `{date:…}` stands for the date."""
    return name_pattern(file_name)[0]


def with_key(proposal: Draft, key: Sequence[str], why: str) -> Draft:
    """The proposal with this key. The columns of the key are required.

    `why`: why the key was chosen.
    """
    columns = tuple(
        DraftColumn(item.name, item.keys | {"required": True}, item.notes, item.filled) if item.name in key else item
        for item in proposal.columns
    )
    return Draft(**{**proposal.__dict__, "columns": columns, "key": tuple(key), "doubts": (*proposal.doubts, why)})


def _separators(kept: Sequence[Sequence[str]], doubts: list[str]) -> dict[str, Any]:
    """The decimal and thousands separators of the whole file."""
    found: dict[str, Any] = {}
    if any(map(comma, kept)):
        found["decimal"] = ","
        if any(comma(column) and "." in "".join(column) for column in kept if column):
            found["thousands"] = "."
    elif any(map(grouped, kept)):
        found["thousands"] = ","
        if not any("." in value and "," in value for column in kept if grouped(column) for value in column):
            doubts.append("thousands: a comma, because three digits follow each one; decimal: ',' would fit as well")
    return found


def _column(
    name: str, source: str, values: Sequence[str], *, layout: dict[str, Any], fits: Fits, padded: bool
) -> DraftColumn:
    nulls = set(layout.get("null_values", [""]))
    absent = sorted({*ABSENT} & {*values} - nulls) if looks_typed(values) else []
    given = [value for value in values if value not in nulls and value not in absent]
    keys, notes = type_of(name, given, layout, fits)
    if absent and keys["type"] == "string":
        absent = []
    if absent:
        keys["null_values"] = [*sorted(nulls), *absent]
        notes.append(f"{', '.join(map(repr, absent))} means no value, because the others are {keys['type']}")
    if source != name:
        keys["from"] = source
    if keys["type"] == "string" and (padded or layout.get("kind") == "lines"):
        keys["trim"] = True
    if PERSONAL.search(name) or (given and all(EMAIL.fullmatch(value) for value in given)):
        keys["personal_data"] = True
    empty = sum(value in nulls or value in absent for value in values)
    if empty and empty < len(values):
        notes.append(f"empty in {empty} of {len(values)}")
    return DraftColumn(name, keys, tuple(notes), filled=not empty)


def _names(fields: Iterable[str]) -> list[str]:
    """Names for the columns of the table, in lower case letters, digits and underscores. Each name occurs only once."""
    result: list[str] = []
    reserved = {"business_date", "ingestion_timestamp"}
    for source in fields:
        text = source.replace("ß", "ss")
        for letter, spelled in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
            text = text.replace(letter, spelled)
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", text)
        name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "field"
        name = f"n{name}" if name[0].isdigit() else f"{name}_of_source" if name in reserved else name
        number = sum(other == name or re.fullmatch(rf"{name}_\d+", other) is not None for other in result)
        result.append(f"{name}_{number + 1}" if number else name)
    return result


def _lines(found: Draft) -> Iterable[str]:
    drafted_from = f"{_one_line(found.file_name)}, {counted(found.rows, 'row')}"
    yield f"# Drafted from {drafted_from}. Read it and correct it. docs/feeds.md explains every key."
    yield f"domain: {found.domain}"
    yield "owners: [team:data-engineering]  # who gets the alerts; see owners.yaml"
    yield "feeds:"
    yield f"  {found.feed}:"
    yield "    description: One row per …"
    yield f"    inbound: {_yaml(inbound_of(found.file_name))}"
    yield "    # expected: daily          # or weekdays …: with it, a missing or late file is reported"
    yield "    # extract: full            # if each file contains all records"
    if found.layout:
        yield f"    format: {{{', '.join(f'{name}: {_yaml(value)}' for name, value in found.layout.items())}}}"
    if found.raw_fields:
        yield f"    raw_fields: [{', '.join(map(_yaml, found.raw_fields))}]  # the fields in their order"
    if found.key:
        yield f"    key: {_yaml(found.key[0]) if len(found.key) == 1 else _yaml(list(found.key))}"
    else:
        yield "    # key: …                   # no column, pair or triple of columns is unique and always filled"
    yield "    columns:"
    for column in found.columns:
        keys = column.keys
        short = keys["type"] if list(keys) == ["type"] and "(" not in keys["type"] else None
        said = f"  # {'; '.join(map(_one_line, column.notes))}" if column.notes else ""
        listed = short or "{" + ", ".join(f"{name}: {_yaml(value)}" for name, value in keys.items()) + "}"
        yield f"      {_yaml(column.name)}: {listed}{said}"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _yaml(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    changed = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", value) and value.lower() not in changed:
        return str(value)
    return json.dumps(value, ensure_ascii=True)
