"""Decides when to try again. The wait doubles with each attempt, up to a limit. It also varies, so that many messages
are not tried again at the same moment.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b

FIRST = timedelta(seconds=2)
CAP = timedelta(minutes=5)


def delay(attempt: int, key: str, first: timedelta = FIRST, cap: timedelta = CAP) -> timedelta:
    """The wait after the failed attempt number `attempt`, counted from 1. It lies between half and the whole of 2 s, 4
    s, 8 s, and so on, up to 5 min. `key` decides where between the two, so the same arguments give the same wait.
    """
    whole = min(cap, first * float(2 ** min(attempt - 1, 20)))
    share = int.from_bytes(blake2b(f"{key}:{attempt}".encode(), digest_size=4).digest(), "big") / 2**32
    return whole * (0.5 + share / 2)
