"""Reads words without quotes in YAML as YAML 1.2 does. PyYAML alone follows YAML 1.1, which turns NO into false, 010
into 8 and 01:30 into 90. But a contract that allows `[SE, NO]` means the two countries. Where a contract compares
texts, each value stays the text that is in the file.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

# The items of lists under these keys are texts of the data, or names of columns and fields.
TEXT_LISTS = frozenset(
    {"allowed", "true_values", "false_values", "null_values", "raw_fields", "key", "drop", "replaces_by"}
)
# Under a column, the values of these keys are texts too: a field's name, and bounds whose digits must all be kept.
COLUMN_TEXTS = frozenset({"from", "min", "max"})
_COLUMNS = frozenset({"columns", "add"})
_STR, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_BOOL, _INT, _FLOAT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"


class PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader with the words of YAML 1.2: yes, no, on and off are texts, and 010 is ten."""


def _resolvers() -> dict[str, list[tuple[str, Any]]]:
    inherited = yaml.SafeLoader.yaml_implicit_resolvers
    return {
        first: [(tag, regex) for tag, regex in items if tag not in (_BOOL, _INT, _FLOAT)]
        for first, items in inherited.items()
    }


PlainLoader.yaml_implicit_resolvers = _resolvers()
for _tag, _regex, _first in (
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        _FLOAT,
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
):
    PlainLoader.add_implicit_resolver(_tag, re.compile(f"^(?:{_regex})$"), list(_first))


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


PlainLoader.add_constructor(_INT, _integer)
PlainLoader.add_constructor(_FLOAT, _float)


def keep_texts(node: yaml.Node, above: tuple[str, ...] = ()) -> None:
    """Turn values in `node` into texts, if a contract compares them literally. `above`: the keys above the node."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if above and above[-1] in TEXT_LISTS and isinstance(item, yaml.ScalarNode):
                item.tag = _STR
            else:
                keep_texts(item, above)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*above, str(key.value))
            if isinstance(value, yaml.ScalarNode):
                if value.tag != _NULL and _is_text(here):
                    value.tag = _STR
            else:
                keep_texts(value, here)
            if len(here) > 1 and here[-2] in _COLUMNS and isinstance(key, yaml.ScalarNode):
                key.tag = _STR


def _is_text(path: tuple[str, ...]) -> bool:
    if path[-1] in COLUMN_TEXTS:
        return len(path) > 2 and path[-3] in _COLUMNS
    return path[-1] in ("key", "replaces_by")
