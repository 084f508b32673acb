"""Writes names and literals for the SQL of the checks. Names come from the configuration, so they are always quoted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def table_name(name: str) -> str:
    """`schema.table` with both parts quoted."""
    return ".".join(identifier(part) for part in name.split("."))


def columns(names: Sequence[str]) -> str:
    return ", ".join(identifier(name) for name in names)


def date_list(days: Iterable[date]) -> str:
    """The dates as SQL literals in ascending order: `date '…', date '…'`. If there are none, this is a NULL, which no
    value equals.
    """
    return ", ".join(f"date '{day.isoformat()}'" for day in sorted(days)) or "cast(null as date)"


def key_hash(names: Sequence[str]) -> str:
    """SQL for a number that stands for a key. Different numbers are much cheaper to count than different strings or
    rows. Among 20 million keys, the probability that two keys have the same number is 1e-5. So rows that seem to repeat
    must be counted exactly afterwards.
    """
    return f"hash({columns(names)})"


def masked(value: Any, personal: bool = False) -> str:
    """The value in masked form; ∅ for NULL. A person who has the source can recognise the value in it, but the whole
    value cannot be read from the mask.
    """
    if value is None:
        return "∅"
    text = str(value)
    if personal:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    if len(text) <= 4:
        return text[:1] + "*" * (len(text) - 1)
    return f"{text[:2]}{'*' * min(len(text) - 4, 6)}{text[-2:]}"
