"""Decides whether values of a type can be cast to another type: always, only if their content allows it, or never."""

from __future__ import annotations

import re
from typing import Literal

Castability = Literal["always", "sometimes", "never"]

# Other names of types, as contracts use them → the names in SQL.
_SYNONYMS = {"string": "varchar", "text": "varchar", "int": "integer", "numeric": "decimal", "bool": "boolean"}
BASE_TYPES = frozenset(
    {"varchar", "smallint", "integer", "bigint", "decimal", "double", "boolean", "date", "time", "timestamp"}
)
_WHOLE = ("smallint", "integer", "bigint")
_NUMERIC = frozenset({*_WHOLE, "decimal", "double"})
_SHAPE = re.compile(r"([a-z]+)(?:\((\d+),(\d+)\))?")


def normal(type_name: str) -> str | None:
    """The SQL name of a type; None if the text is not a type. `string` becomes `varchar`, and `decimal(18, 2)` becomes
    `decimal(18,2)`.
    """
    found = _SHAPE.fullmatch(type_name.lower().replace(" ", ""))
    if found is None:
        return None
    base = _SYNONYMS.get(found[1], found[1])
    if base not in BASE_TYPES or (base == "decimal") != (found[2] is not None):
        return None
    return f"decimal({found[2]},{found[3]})" if base == "decimal" else base


def castability(source: str, target: str) -> Castability:
    """Whether a value of type `source` can be cast to `target`. Both must be names that `normal` returns."""
    if source == target or target == "varchar":
        return "always"
    source_base, target_base = source.partition("(")[0], target.partition("(")[0]
    if source_base == "varchar":
        return "sometimes"
    if source_base in _NUMERIC and target_base in _NUMERIC:
        return "always" if _holds(source, target) else "sometimes"
    if {source_base, target_base} == {"date", "timestamp"}:
        return "always"
    if source_base == "timestamp" and target_base == "time":
        return "always"
    return "never"


def _holds(source: str, target: str) -> bool:
    if source in _WHOLE and target in _WHOLE:
        return _WHOLE.index(source) <= _WHOLE.index(target)
    if target == "double":
        return True
    if source.startswith("decimal") and target.startswith("decimal"):
        (source_precision, source_scale), (precision, scale) = _digits(source), _digits(target)
        return scale >= source_scale and precision - scale >= source_precision - source_scale
    return False


def _digits(decimal: str) -> tuple[int, int]:
    precision, scale = decimal.removeprefix("decimal(").removesuffix(")").split(",")
    return int(precision), int(scale)
