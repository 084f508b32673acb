"""Merges several files into one configuration. Additions are laid over a base, and each value keeps the file and the
line that it came from. The module reads no files.

- Mappings are merged key by key, and an addition's value wins.
- A list replaces the list below it.
- In the lists of `PREPENDED`, the addition's entries are put before those of the base. Entries of these lists have no
  names, and the first entry that matches applies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ops_project.model.document import ConfigError, Document, Loc, Place

PREPENDED: frozenset[Loc] = frozenset({("route", "routes"), ("inhibit_rules",), ("use",)})
"""Routes and inhibitions of routes.yaml, and the uses of ladders of escalation.yaml."""


def layered(base: Document, additions: Sequence[Document]) -> Document:
    """`base` merged with `additions`. A value of a later addition replaces that of an earlier one. Raises ConfigError
    if a value of an addition is of another kind than the value that it replaces.
    """
    merged = base
    for addition in additions:
        merged = _over(merged, addition)
    return merged


def _over(base: Document, addition: Document) -> Document:
    places: dict[Loc, Place] = {}
    data = _merge(base, addition, (), below=base.data, above=addition.data, places=places)
    lines = {loc: place.line for loc, place in places.items()}
    return Document(base.file, data, lines, {loc: place.file for loc, place in places.items()})


def _merge(base: Document, addition: Document, loc: Loc, *, below: Any, above: Any, places: dict[Loc, Place]) -> Any:
    if above is None:
        _keep(base, loc, loc, below, places)
        return below
    if type(below) is not type(above) and isinstance(below, dict | list):
        kind = "keys" if isinstance(below, dict) else "a list"
        where = ".".join(map(str, loc)) or "the file"
        raise ConfigError([addition.problem(loc, f"{where} must be {kind}, as in {base.file}")])
    if isinstance(below, dict):
        places[loc] = base.place(loc)
        result = {}
        for key in [*below, *(key for key in above if key not in below)]:
            here = (*loc, key)
            if key in below and key in above:
                result[key] = _merge(base, addition, here, below=below[key], above=above[key], places=places)
                if not isinstance(below[key], dict | list):
                    places[here] = addition.place(here)
            else:
                source, value = (base, below[key]) if key in below else (addition, above[key])
                _keep(source, here, here, value, places)
                result[key] = value
        return result
    if isinstance(below, list) and loc in PREPENDED:
        places[loc] = base.place(loc)
        for index, value in enumerate([*above, *below]):
            source, there = (addition, index) if index < len(above) else (base, index - len(above))
            _keep(source, (*loc, there), (*loc, index), value, places)
        return [*above, *below]
    _keep(addition, loc, loc, above, places)
    return above


def _keep(source: Document, there: Loc, here: Loc, value: Any, places: dict[Loc, Place]) -> None:
    """Note the places of a value and of everything in it. `there` is the position of the value in its source."""
    places[here] = source.place(there)
    for key, item in _children(value):
        _keep(source, (*there, key), (*here, key), item, places)


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
