"""Decides how a run that had too little memory is repeated: with more memory, fewer threads or fewer dates at once. The
module is pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
MOST_OF_MACHINE = 0.8
"""The largest share of the machine's memory. The rest is for Python, dbt and the system."""


@dataclass(frozen=True)
class Limits:
    """Limits on what a run may use."""

    memory_bytes: int
    threads: int
    days: int
    """The number of business dates in one run."""


def bytes_of(text: str) -> int:
    """The number of bytes of a text such as `3GB` (3,000,000,000)."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s?([KMGT]i?B)", text)
    if found is None:
        raise ValueError(f"{text!r} is not a size of memory; write a number and KB, MB, GB or TB")
    return int(float(found[1]) * UNITS[found[2]])


def text_of(count: int) -> str:
    """The text for a number of bytes, such as `3000MB` for 3,000,000,000."""
    return f"{count // 10**6}MB"


def relieved(limits: Limits, machine_bytes: int) -> tuple[Limits, tuple[str, ...]]:
    """Limits under which the same work needs less memory at once, and the changes, in words. If there are no words, no
    further change is possible.

    - The memory is doubled, up to four fifths of the machine's memory.
    - The number of threads is halved, down to one.
    - The number of dates in a run is halved, down to one.
    """
    most = int(machine_bytes * MOST_OF_MACHINE)
    memory = max(limits.memory_bytes, min(2 * limits.memory_bytes, most))
    threads, days = max(1, limits.threads // 2), max(1, -(-limits.days // 2))
    said = [
        f"{what} {before} → {after}"
        for what, before, after in (
            ("memory", text_of(limits.memory_bytes), text_of(memory)),
            ("threads", limits.threads, threads),
            ("business dates in a run", limits.days, days),
        )
        if before != after
    ]
    return Limits(memory, threads, days), tuple(said)
