"""A first contract from some rows of a file, for a person to read, correct and sign.

It proposes the narrowest type that every value of the sample fits. It decides nothing that only the source can know –
deadlines, bounds, personal data – and leaves those as comments.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ABSENT = ("NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "-", "?")
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%d-%b-%Y")
TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M %p")
OFFSETS = ("", "%z")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")
_NAME_DATES = (
    (re.compile(r"(19|20)\d\d-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"(19|20)\d\d_\d\d_\d\d"), "%Y_%m_%d"),
    (re.compile(r"(?<!\d)(19|20)\d{6}(?!\d)"), "%Y%m%d"),
    (re.compile(r"(?<!\d)\d{4}(19|20)\d\d(?!\d)"), "%d%m%Y"),
    (re.compile(r"\d\d\.\d\d\.(19|20)\d\d"), "%d.%m.%Y"),
)
FEW = 20
"""A column that is unique over fewer rows than this may be so by chance."""


@dataclass(frozen=True)
class _Column:
    name: str
    field: str
    keys: dict[str, Any]
    unique: bool
    empty: int
    note: str = ""


def draft(
    domain: str,
    feed: str,
    file_name: str,
    fields: Sequence[str],
    rows: Sequence[Sequence[str]],
    layout: Mapping[str, Any],
) -> str:
    """The YAML of feeds/<domain>.yaml with one feed. `layout` is what `format` needs besides what is found here."""
    layout = dict(layout)
    values = [[row[index].strip() for row in rows] for index in range(len(fields))]
    absent = [word for word in ABSENT if any(_marks_absence(column, word) for column in values)]
    kept = [[value for value in column if value and value not in absent] for column in values]
    if any(map(_comma, kept)):
        layout["decimal"] = ","
        if any(
            all(re.fullmatch(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", value) for value in column)
            and "." in "".join(column)
            for column in kept
            if column
        ):
            layout["thousands"] = "."
    elif any(_grouped(column) for column in kept):
        layout["thousands"] = ","
    if absent:
        layout["null_values"] = ["", *absent]
    blank = len(set(fields)) < len(fields) or not all(fields)
    if blank and "kind" not in layout:
        layout |= {"header": False, "skip_lines": layout.get("skip_lines", 0) + 1}
    names = _names(fields)
    raw = names if blank else list(fields)
    columns = [
        _column(name, field, column, len(rows), layout) for name, field, column in zip(names, raw, kept, strict=True)
    ]
    return "\n".join(_lines(domain, feed, file_name, columns, layout, len(rows))) + "\n"


def inbound_of(file_name: str) -> str:
    """The pattern of a file's name: its date becomes `{date:…}`."""
    name = file_name.removesuffix(".gz")
    for pattern, form in _NAME_DATES:
        if (found := pattern.search(name)) and _parses(found[0], form):
            return f"{name[: found.start()]}{{date:{form}}}{name[found.end() :]}"
    return name


def _marks_absence(column: Sequence[str], word: str) -> bool:
    """True where the word stands in a column of numbers or dates, in which it can mean nothing else."""
    others = [value for value in column if value and value not in ABSENT]
    return word in column and bool(others) and (_comma(others) or _type(others, ".", None)[0]["type"] != "string")


def _comma(column: Sequence[str]) -> bool:
    return (
        any("," in value for value in column)
        and all(re.fullmatch(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", value) for value in column)
        and not _grouped(column)
    )


def _grouped(column: Sequence[str]) -> bool:
    # Where commas stand before a point, ungrouped numbers beside them leave no doubt.
    sure = any(re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+", value) for value in column)
    whole = r"(\d+|\d{1,3}(,\d{3})+)" if sure else r"\d{1,3}(,\d{3})*"
    return any("," in value for value in column) and all(
        re.fullmatch(rf"[+-]?{whole}(\.\d+)?", value) for value in column
    )


def _column(name: str, field: str, values: list[str], rows: int, layout: Mapping[str, Any]) -> _Column:
    keys, note = _type(values, layout.get("decimal", "."), layout.get("thousands"))
    if field != name:
        keys["from"] = field
    return _Column(name, field, keys, len(values) == rows and len(set(values)) == rows, rows - len(values), note)


def _type(values: Sequence[str], decimal: str, thousands: str | None) -> tuple[dict[str, Any], str]:
    if not values:
        return {"type": "string"}, "no value in the sample"
    return _number(_plain(values, decimal, thousands)) or _word_or_moment(values)


def _plain(values: Sequence[str], decimal: str, thousands: str | None) -> list[str]:
    """The values as Python spells numbers; none where one is no number here: a date with dots is none."""
    whole = rf"(\d+|\d{{1,3}}({re.escape(thousands)}\d{{3}})+)" if thousands else r"\d+"
    point = re.escape(decimal)
    form = re.compile(rf"[+-]?(({whole}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?|inf|Infinity)")
    if not all(form.fullmatch(value) for value in values):
        return []
    return [(value.replace(thousands, "") if thousands else value).replace(decimal, ".") for value in values]


def _number(plain: Sequence[str]) -> tuple[dict[str, Any], str] | None:
    """The narrowest number that all are; None where there are none."""
    if not plain:
        return None
    if all(re.fullmatch(r"[+-]?\d+", value) for value in plain):
        if any(re.fullmatch(r"0\d+", value) for value in plain):
            return {"type": "string", "pattern": "[0-9]+"}, "leading zeros: no number"
        largest = max(abs(int(value)) for value in plain)
        return {"type": "integer" if largest < 2**31 else "bigint" if largest < 2**63 else "decimal(38,0)"}, ""
    if all(re.fullmatch(r"[+-]?\d+(\.0*)?", value) for value in plain):
        return {"type": "bigint", "accept": ["zeros"]}, ""
    if all(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", value) for value in plain):
        places = max(len(value.partition(".")[2]) for value in plain)
        return {"type": "decimal(18,2)" if places <= 2 else "double"}, ""
    if all(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) for value in plain):
        return {"type": "double"}, ""
    return {"type": "double", "accept": ["infinity"]}, ""


def _word_or_moment(values: Sequence[str]) -> tuple[dict[str, Any], str]:
    if {value.lower() for value in values} <= {"true", "false", "t", "f", "yes", "no", "y", "n"}:
        return {"type": "boolean"}, ""
    return _moment(values)


def _moment(values: Sequence[str]) -> tuple[dict[str, Any], str]:
    if all(_ISO_DATE.fullmatch(value) for value in values):
        return {"type": "date"}, ""
    if all(_ISO_TIME.fullmatch(value) for value in values):
        return {"type": "timestamp"}, "" if _has_offset(values[0]) else "timezone: Europe/London, if not UTC"
    seen = list(dict.fromkeys(values))[:2000]
    fitting = [
        day + clock + offset
        for day in DATES
        for clock in TIMES
        for offset in (OFFSETS if clock else ("",))
        if _parses(seen[0], day + clock + offset) and all(_parses(value, day + clock + offset) for value in seen)
    ]
    if not fitting:
        return {"type": "string"}, ""
    form = fitting[0]
    note = f"or {fitting[1]}: the sample fits both" if len(fitting) > 1 else ""
    if "%H" not in form and "%I" not in form:
        return {"type": "date", "format": form}, note
    zone = "" if form.endswith("%z") else "timezone: Europe/London, if not UTC"
    return {"type": "timestamp", "format": form}, "; ".join(filter(None, (note, zone)))


def _has_offset(value: str) -> bool:
    return value.endswith("Z") or re.search(r"[+-]\d{2}:?\d{2}$", value[10:]) is not None


def _parses(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only whether it parses
    except ValueError:
        return False
    return True


def _names(fields: Iterable[str]) -> list[str]:
    """Names for the table: lower case, digits and underscores, each once."""
    result: list[str] = []
    reserved = {"business_date", "ingestion_timestamp"}
    for field in fields:
        text = field.replace("ß", "ss")
        for letter, spelled in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
            text = text.replace(letter, spelled)
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", text)
        name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "field"
        name = f"n{name}" if name[0].isdigit() else f"{name}_of_source" if name in reserved else name
        number = sum(other == name or re.fullmatch(rf"{name}_\d+", other) is not None for other in result)
        result.append(f"{name}_{number + 1}" if number else name)
    return result


def _lines(
    domain: str, feed: str, file_name: str, columns: Sequence[_Column], layout: Mapping[str, Any], rows: int
) -> Iterable[str]:
    key = _key(columns) if rows >= FEW else None
    pattern = inbound_of(file_name)
    yield f"# Drafted from {file_name}, {rows} rows. Read it, correct it; every key: docs/feeds.md."
    yield f"domain: {domain}"
    yield "owners: [team:data-engineering]  # who is told; owners.yaml"
    yield "feeds:"
    yield f"  {feed}:"
    yield "    description: One row per …"
    yield f"    inbound: {_yaml(pattern)}" + (
        "" if "{date" in pattern else "  # no date in the name: the day of arrival counts"
    )
    yield "    # expected: daily          # or weekdays …: then a missing or late file is told"
    yield "    # extract: full            # if each file holds all there is"
    if layout:
        yield f"    format: {{{', '.join(f'{name}: {_yaml(value)}' for name, value in layout.items())}}}"
    if layout.get("header") is False:
        names = ", ".join(column.name for column in columns)
        yield f"    raw_fields: [{names}]  # names in the file are blank or stand twice"
    yield f"    key: {key}" if key else "    # key: …                   # no single column is unique and always filled"
    yield "    columns:"
    for column in columns:
        keys = column.keys | ({"required": True} if column.name == key else {})
        short = keys["type"] if list(keys) == ["type"] and "(" not in keys["type"] else None
        notes = [column.note] if column.note else []
        if column.empty and column.empty < rows:
            notes.append(f"empty in {column.empty} of {rows}")
        said = f"  # {'; '.join(notes)}" if notes else ""
        listed = short or "{" + ", ".join(f"{name}: {_yaml(value)}" for name, value in keys.items()) + "}"
        yield f"      {column.name}: {listed}{said}"


def _key(columns: Sequence[_Column]) -> str | None:
    unique = [column.name for column in columns if column.unique and column.keys["type"] not in ("double",)]
    named = [name for name in unique if re.search(r"(^|_)(id|key|nr|no|number|code|uuid|ref)$", name)]
    return next(iter([*named, *(name for name in unique if name == columns[0].name)]), None)


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if (
        isinstance(value, str)
        and re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", value)
        and value.lower()
        not in (
            "true",
            "false",
            "yes",
            "no",
            "on",
            "off",
            "null",
            "y",
            "n",
        )
    ):
        return value
    return json.dumps(value, ensure_ascii=False)
