"""The layout of a generated file. Macro calls have one argument on each line. Lists are broken where a line would be
too long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

SQL_HEADER = "-- Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.\n"
YAML_HEADER = "# Generated from config/metadata by `ops metadata generate`: change the metadata, not this file.\n"
WIDTH = 110

# A value of a macro argument: a name, a list of values, or a mapping from names to values.
Value = str | bool | Sequence["Value"] | dict[str, "Value"]


def call(macro: str, arguments: dict[str, Value]) -> str:
    """A Jinja call with keyword arguments, one on each line."""
    lines = [f"    {name}={literal(value, 4, len(name) + 1)}," for name, value in arguments.items()]
    return "{{ " + macro + "(\n" + "\n".join(lines) + "\n) }}\n"


def literal(value: Value, indent: int, used: int = 0) -> str:
    """A Jinja literal. A list or mapping is broken over several lines if its line would be longer than WIDTH.

    `indent`: the indent of the line.
    `used`: the number of characters between the indent and the literal.
    """
    flat = _flat(value)
    if indent + used + len(flat) + 1 <= WIDTH or isinstance(value, str | bool):
        return flat
    inner, outer = " " * (indent + 4), " " * indent
    if isinstance(value, dict):
        items = [f"{_flat(key)}: {literal(item, indent + 4, len(key) + 4)}" for key, item in value.items()]
        return "{\n" + "".join(f"{inner}{item},\n" for item in items) + outer + "}"
    return "[\n" + "".join(f"{inner}{literal(item, indent + 4)},\n" for item in value) + outer + "]"


def config(feeds: Sequence[str], **settings: str) -> str:
    """The dbt config of a model. It names the feeds of the model."""
    items = [f"{name}={_flat(value)}" for name, value in settings.items()]
    items.append("meta={'feeds': " + _flat(list(feeds)) + "}")
    text = "{{ config(" + ", ".join(items) + ") }}\n"
    if len(text) <= WIDTH:
        return text
    inner = "".join(f"        '{feed}',\n" for feed in feeds)
    head = "".join(f"    {name}={_flat(value)},\n" for name, value in settings.items())
    return "{{ config(\n" + head + "    meta={'feeds': [\n" + inner + "    ]},\n) }}\n"


def text(value: str) -> str:
    """A YAML scalar in one line. The text is quoted if YAML would otherwise read it as something else."""
    if re.fullmatch(r"[A-Za-z][^:#\n\"'{}\[\]&*!|>%@`]*[^:#\s\n\"'{}\[\]]", value) and value.lower() not in (
        "yes",
        "no",
        "true",
        "false",
        "null",
        "on",
        "off",
    ):
        return value
    return json.dumps(value, ensure_ascii=False)


def flow(values: Sequence[str]) -> str:
    """A YAML list in one line."""
    return "[" + ", ".join(values) + "]"


def _flat(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if "'" in value else f"'{value}'"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flat(key)}: {_flat(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(_flat(item) for item in value) + "]"
