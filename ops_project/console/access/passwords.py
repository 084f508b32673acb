"""Passwords are stored as scrypt lines. `ops serve --new-password` makes a line, and console.yaml keeps it. The
password itself is never stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

COST, BLOCK, PARALLEL = 16_384, 8, 1
SALT_BYTES = 16
MEMORY = 64 * 1024 * 1024
SHORTEST = 10


def line_of(password: str) -> str:
    """The line for a password: scrypt$N$r$p$salt$hash. Raises ValueError if the password is too short."""
    if len(password) < SHORTEST:
        raise ValueError(f"a password has at least {SHORTEST} characters; this one has {len(password)}")
    salt = secrets.token_bytes(SALT_BYTES)
    found = _hash(password, salt, COST, BLOCK, PARALLEL)
    return f"scrypt${COST}${BLOCK}${PARALLEL}${base64.b64encode(salt).decode()}${base64.b64encode(found).decode()}"


def matches(password: str, line: str) -> bool:
    """Whether `line` was made from `password`. The comparison takes about 50 ms, whatever the answer is."""
    _, cost, block, parallel, salt, wanted = line.split("$")
    found = _hash(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, base64.b64decode(wanted))


def _hash(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=MEMORY)
