"""Names and literals for the SQL of the checks. Names come from the configuration, so they are always quoted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any


def identifier(name: str) -> str:
    """`name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def table_name(name: str) -> str:
    """`schema.table` with both parts quoted."""
    return ".".join(identifier(part) for part in name.split("."))


def columns(names: Sequence[str]) -> str:
    return ", ".join(identifier(name) for name in names)


def date_list(days: Iterable[date]) -> str:
    """`date '…', date '…'`, in ascending order. Without dates, this is a NULL, which no value equals."""
    return ", ".join(f"date '{day.isoformat()}'" for day in sorted(days)) or "cast(null as date)"


def key_hash(names: Sequence[str]) -> str:
    """SQL of one number for each key, because distinct numbers are much cheaper to count than distinct strings or rows.
    Among 20 million keys, two keys have the same number with a probability of 1e-5. So suspected repetitions must be
    counted exactly afterwards.
    """
    return f"hash({columns(names)})"


def masked(value: Any, personal: bool = False) -> str:
    """A masked value. A person who has the source can recognise the value there. The whole value cannot be read from
    the mask. NULL becomes ∅.
    """
    if value is None:
        return "∅"
    text = str(value)
    if personal:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    if len(text) <= 4:
        return text[:1] + "*" * (len(text) - 1)
    return f"{text[:2]}{'*' * min(len(text) - 4, 6)}{text[-2:]}"
