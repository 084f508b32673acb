"""The base types of the exceptions that a log names, and the codes of PostgreSQL's exceptions. A log contains only the
name of a type, so both are read from `types.yaml`. `python -m tests.operations.diagnosis.make_types` writes this file
from Python and from the usual libraries. So no library must be imported to read a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("types.yaml")


@dataclass(frozen=True)
class KnownTypes:
    """The base types and the PostgreSQL codes of exceptions. Each is found by the name of the type."""

    ancestors: dict[str, tuple[str, ...]]
    """The base types, the nearest first."""
    sqlstates: dict[str, str]


@lru_cache(maxsize=1)
def known() -> KnownTypes:
    """The content of the file. Raises OSError if the installation lacks it."""
    import yaml

    said = yaml.load(FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return KnownTypes(
        {name: tuple(chain.split()) for chain, names in said["ancestors"].items() for name in names},
        {name: state for state, names in said["sqlstates"].items() for name in names},
    )
