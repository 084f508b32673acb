"""What the types of exceptions that a log names derive from, and what PostgreSQL's are in codes.

A text tells only the name of a type. `types.yaml` was read from Python and from the usual libraries, so that none of
them has to be imported where a text is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("types.yaml")


@dataclass(frozen=True)
class KnownTypes:
    """Of each name."""

    ancestors: dict[str, tuple[str, ...]]
    """The nearest first."""
    sqlstates: dict[str, str]


@lru_cache(maxsize=1)
def known() -> KnownTypes:
    """What the file says. Raises OSError if the installation lacks it."""
    import yaml

    said = yaml.load(FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return KnownTypes(
        {name: tuple(chain.split()) for chain, names in said["ancestors"].items() for name in names},
        {name: state for state, names in said["sqlstates"].items() for name in names},
    )
