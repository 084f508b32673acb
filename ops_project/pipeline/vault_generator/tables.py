"""Reads the three CSV tables of the metadata, with the line number of each row. One error reports everything that
cannot be read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping as Mappings
from typing import Any

from pydantic import ValidationError

from ops_project.model.document import ConfigError, ConfigProblem
from ops_project.model.metadata import Attribute, Entity, Mapping, Metadata

TABLES: dict[str, type[Entity] | type[Attribute] | type[Mapping]] = {
    "entities": Entity,
    "attributes": Attribute,
    "mappings": Mapping,
}
_BOOLEANS = {"yes": True, "no": False}


def read(domain: str, texts: Mappings[str, str], files: Mappings[str, str]) -> Metadata:
    """Read the metadata of a domain. Raises ConfigError.

    `texts`: table name → CSV text.
    `files`: table name → file name, for messages.
    """
    problems: list[ConfigProblem] = []
    rows = {name: _rows(texts[name], files[name], model, problems) for name, model in TABLES.items()}
    if problems:
        raise ConfigError(problems)
    return Metadata(domain, tuple(rows["entities"]), tuple(rows["attributes"]), tuple(rows["mappings"]), dict(files))


def columns(model: type[Entity] | type[Attribute] | type[Mapping]) -> list[str]:
    """The columns of a table, in the order of its header."""
    return [name for name in model.model_fields if name != "line"]


def _rows(text: str, file: str, model: type[Any], problems: list[ConfigProblem]) -> list[Any]:
    header = columns(model)
    reader = csv.reader(io.StringIO(text), strict=True)
    result: list[Any] = []
    try:
        found = next(reader, [])
        if found != header:
            problems.append(
                ConfigProblem(file, 1, f"the header is {','.join(found)!r}; it must be {','.join(header)!r}")
            )
            return []
        start = reader.line_num + 1
        for values in reader:
            line, start = start, reader.line_num + 1
            if not values:
                continue
            if len(values) != len(header):
                problems.append(ConfigProblem(file, line, f"{len(values)} fields where the header has {len(header)}"))
                continue
            row: dict[str, Any] = dict(zip(header, values, strict=True))
            result += _row(row, line, file, model, problems)
    except csv.Error as error:
        problems.append(ConfigProblem(file, reader.line_num, f"not valid CSV: {error}"))
    return result


def _row(row: dict[str, Any], line: int, file: str, model: type[Any], problems: list[ConfigProblem]) -> list[Any]:
    for name, field in model.model_fields.items():
        if field.annotation is bool:
            if row[name] not in _BOOLEANS:
                problems.append(ConfigProblem(file, line, f"{name} is {row[name]!r}; valid: yes, no"))
                return []
            row[name] = _BOOLEANS[row[name]]
    try:
        return [model(line=line, **row)]
    except ValidationError as error:
        for item in error.errors():
            name = ".".join(map(str, item["loc"]))
            problems.append(ConfigProblem(file, line, f"{name} is {item['input']!r}: {item['msg']}"))
        return []
