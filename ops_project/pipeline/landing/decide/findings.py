"""Chooses which of several findings about a file is reported."""

from __future__ import annotations

from collections.abc import Iterable

# The order: missing, zero bytes, not decodable or unbalanced, structure changed, duplicate delivery, partial, late, and
# then single rows.
PRECEDENCE = (
    "source_missing",
    "source_empty",
    "data_invalid",
    "schema_mismatch",
    "source_duplicate",
    "source_partial",
    "source_late",
    "key_violation",
)


def first(kinds: Iterable[str], *, rejected: bool) -> str | None:
    """The finding that takes precedence; None if there is none. A finding about refused rows comes last, unless the
    whole file was rejected because of these rows.
    """

    def rank(kind: str) -> tuple[int, str]:
        if kind == "data_invalid" and not rejected:
            return len(PRECEDENCE) + 1, kind
        return (PRECEDENCE.index(kind) if kind in PRECEDENCE else len(PRECEDENCE)), kind

    return min(kinds, key=rank, default=None)
